"""The newest remark on a run on one line, and how many there are."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from tui.state.run import RunState
from tui.text.safe import one_line, shorten

_ALL = "  (i shows all)"


class RemarkLine(Static):
    """Hidden while there is no remark."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._words = ""
        self.display = False

    def show(self, state: RunState) -> None:
        """Draw the newest remark on the run, cut if it does not fit."""
        self.display = bool(state.remarks)  # before it is measured: a hidden widget has no width
        words = format_remarks(state.remarks, self.screen.size.width - 2)  # a cell of padding on each side
        if words != self._words:
            self._words = words
            self.update(Content(words))


def format_remarks(remarks: list[str], cells: int) -> str:
    """The last remark in `cells` cells, with the key that shows the others and the rest of it."""
    if not remarks:
        return ""
    count = len(remarks)
    text = f"remark: {one_line(remarks[-1])}" if count == 1 else f"{count} remarks: {one_line(remarks[-1])}"
    if count == 1 and cell_len(text) <= cells:
        return text
    return shorten(text, cells - len(_ALL)) + _ALL
