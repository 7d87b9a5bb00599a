"""The keys that work now, in the last line of a screen."""

from __future__ import annotations

from typing import Any

from textual.app import RenderResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

_GAP = "  "


class KeyLine(Widget):
    """Draws one line, and only when it changes.

    Textual's footer has a widget for each key and makes all of them anew whenever the focus moves: half the time that a
    key took which moves it.
    """

    DEFAULT_CSS = """
    KeyLine {
        dock: bottom;
        height: 1;
        padding: 0 1;
        color: $footer-description-foreground;
        background: $footer-background;
    }
    """
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[tuple[str, str], ...] = ()

    def on_mount(self) -> None:
        """Hear of the keys that change."""
        self.screen.bindings_updated_signal.subscribe(self, self._look)
        self._look(self.screen)

    def _look(self, screen: Screen[Any]) -> None:
        """Take in the keys that work now: of several for the same action the first."""
        first: dict[str, Binding] = {}
        for active in screen.active_bindings.values():
            if active.binding.show and active.enabled:
                first.setdefault(active.binding.action, active.binding)
        keys = tuple((self.app.get_key_display(each), each.description) for each in first.values())
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def render(self) -> RenderResult:
        """As many keys as fit, and the last, which is that of the help."""
        parts = [Content.assemble((key, "bold $footer-key-foreground"), f" {what}") for key, what in self._keys]
        room = self.size.width
        while len(parts) > 1 and sum(part.cell_length + len(_GAP) for part in parts) - len(_GAP) > room:
            del parts[-2]
        return Content(_GAP).join(parts)
