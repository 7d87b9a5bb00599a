"""The line above a pane: its title in a rule, which is heavy if the pane has the focus."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget
from typing_extensions import override


class PaneTitle(Widget):
    """A separate widget, since changing the title of a border redraws everything inside the border."""

    DEFAULT_CSS = "PaneTitle { height: 1; }"
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._title = ""

    def show(self, title: str) -> None:
        """Change the title, which is plain text."""
        if title != self._title:
            self._title = title
            self.refresh()

    @override
    def render(self) -> Content:
        focused = self.parent is not None and self.parent.has_pseudo_class("focus-within")
        rule = "━" if focused else "─"
        title = Content(self._title).truncate(max(0, self.size.width - 1))
        rest = self.size.width - 1 - title.cell_length
        return Content.assemble(rule, title.stylize("bold $foreground"), rule * max(0, rest))
