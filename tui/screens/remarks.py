"""All remarks on a run, whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.screens.text import TextScreen
from tui.text.page import Page
from tui.text.safe import one_line


class RemarksScreen(TextScreen):
    """Opened by `i`, closed by it too."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("i", "dismiss", "close", show=False)]

    def __init__(self, remarks: Sequence[str]) -> None:
        page = Page()
        for number, remark in enumerate(remarks, 1):
            page.add(f"{number}. ", "text--label").add(f"{one_line(remark)}\n\n")
        super().__init__("Remarks", page)
