"""What is worth knowing before reading the results, on one quiet line: the newest remark, and how many there are."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from tui.state.run import RunState
from tui.text.safe import one_line, shorten

_ALL = "  (i shows all)"


class RemarkLine(Static):
    """Takes no room while there is no remark."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._words = ""
        self.display = False

    def show(self, state: RunState) -> None:
        """Draw the newest remark on the run, cut where it does not fit."""
        self.display = bool(state.remarks)  # first: what is not displayed has no width
        # One cell each side is padding.
        words = format_remarks(state.remarks, self.screen.size.width - 2)
        if words != self._words:
            self._words = words
            self.update(Content(words))


def format_remarks(remarks: list[str], cells: int) -> str:
    """The last of the remarks in so many cells, with the way to the others and to the rest of it."""
    if not remarks:
        return ""
    count = len(remarks)
    text = f"remark: {one_line(remarks[-1])}" if count == 1 else f"{count} remarks: {one_line(remarks[-1])}"
    if count == 1 and cell_len(text) <= cells:
        return text
    return shorten(text, cells - len(_ALL)) + _ALL
