"""The keys that can be used now, on the last line of a screen."""

from __future__ import annotations

from typing import Any

from textual.app import RenderResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from typing_extensions import override

_GAP = "  "


class KeyLine(Widget):
    """Draws one line, and only when it changes.

    Textual's footer has a widget for each key and creates all of them anew whenever the focus moves, which took half of
    the time of a key that moves the focus.
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
        """Follow the changes of the bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._update_keys)
        self._update_keys(self.screen)

    def _update_keys(self, screen: Screen[Any]) -> None:
        """Collect the active keys: of several for the same action only the first."""
        first: dict[str, Binding] = {}
        for active in screen.active_bindings.values():
            if active.binding.show and active.enabled:
                first.setdefault(active.binding.action, active.binding)
        keys = tuple((self.app.get_key_display(each), each.description) for each in first.values())
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    @override
    def render(self) -> RenderResult:
        parts = [Content.assemble((key, "bold $footer-key-foreground"), f" {what}") for key, what in self._keys]
        room = self.size.width
        while len(parts) > 1 and sum(part.cell_length + len(_GAP) for part in parts) - len(_GAP) > room:
            del parts[-2]
        return Content(_GAP).join(parts)
