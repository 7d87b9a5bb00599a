"""A text over the screen, to be read and closed: the help, the remarks."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.screen import ModalScreen
from typing_extensions import override

from tui import keys
from tui.text.page import Page
from tui.text.safe import one_line
from tui.widgets.views.text_view import TextView


class TextScreen(ModalScreen[None]):
    """One scrolling text. Subclasses also bind the key that opened it."""

    BINDINGS = keys.TEXT

    def __init__(self, title: str, page: Page) -> None:
        super().__init__()
        self._title, self._page = title, page

    @override
    def compose(self) -> ComposeResult:
        view = TextView(classes="page")
        view.border_title = self._title
        view.border_subtitle = "up/down scroll, esc closes"
        yield view

    def on_mount(self) -> None:
        """Fill in the text."""
        self.query_one(TextView).show(self._page.text, self._page.spans)


class RemarksScreen(TextScreen):
    """All remarks on a run or a search, numbered."""

    BINDINGS = keys.REMARKS

    def __init__(self, remarks: Sequence[str]) -> None:
        page = Page()
        for number, remark in enumerate(remarks, 1):
            page.add(f"{number}. ", "text--label").add(f"{one_line(remark)}\n\n")
        super().__init__("Remarks", page)
