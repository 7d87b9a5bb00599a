"""Right-to-left text stays in its columns: a terminal that reorders lines would carry it over to the pane beside.

https://terminal-wg.pages.freedesktop.org/bidi/recommendation/escape-sequences.html: in explicit mode a terminal draws
each character in the cell where it was put. VTE and mintty know it, others take no notice.
"""

from __future__ import annotations

from tui.terminal.driver import LinkDriver

_OPENS, _CLOSES = "\x1b[?1049h", "\x1b[?1049l"  # the alternate screen, as Textual writes them
_EXPLICIT, _IMPLICIT = "\x1b[8l", "\x1b[8h"


class ScreenDriver(LinkDriver):
    """The driver of the program: explicit mode from before its screen is made, the terminal's usual one after it."""

    def write(self, data: str) -> None:
        """Write to the terminal."""
        if data == _OPENS:
            data = _EXPLICIT + data
        elif data == _CLOSES:
            data += _IMPLICIT
        super().write(data)
