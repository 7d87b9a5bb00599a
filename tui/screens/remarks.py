"""All remarks on a run, whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tui.page import Page
from tui.text import one_line
from tui.widgets.text_view import TextView


class RemarksScreen(ModalScreen[None]):
    """Opened by `i`, closed by it or by escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,i", "dismiss", "close", key_display="esc"),
        Binding("ctrl+c", "dismiss", "close", show=False),
    ]

    def __init__(self, remarks: Sequence[str]) -> None:
        super().__init__()
        self._remarks = tuple(remarks)

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        view = TextView(id="remarks", classes="page")
        view.border_title = "Remarks"
        view.border_subtitle = "up/down scroll, esc closes"
        yield view

    def on_mount(self) -> None:
        """Fill in the text."""
        page = Page()
        for number, remark in enumerate(self._remarks, 1):
            page.add(f"{number}. ", "text--label").add(f"{one_line(remark)}\n\n")
        self.query_one(TextView).show(page.text, page.spans)
