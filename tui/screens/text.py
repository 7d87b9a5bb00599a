"""A text over the screen, to be read and closed: the help, the remarks."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tui.text.page import Page
from tui.widgets.views.text_view import TextView


class TextScreen(ModalScreen[None]):
    """Closed by escape, and by the key that opened it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,ctrl+c", "dismiss", "close", show=False)]

    def __init__(self, title: str, page: Page) -> None:
        super().__init__()
        self._title, self._page = title, page

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        view = TextView(classes="page")
        view.border_title = self._title
        view.border_subtitle = "up/down scroll, esc closes"
        yield view

    def on_mount(self) -> None:
        """Fill in the text."""
        self.query_one(TextView).show(self._page.text, self._page.spans)
