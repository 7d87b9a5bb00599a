"""The matrix as a table. The prompts on the left stay in view while the columns scroll."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from typing_extensions import override

from tui import keys
from tui.state.intervals import format_share
from tui.state.matrix import By, Cell, Matrix, Name, Question
from tui.text.safe import fit, one_line

_SIDE_CELLS_MAX = 24
_HEAD_CELLS_MAX = 18
_CELLS_MIN = 8
_WIDE = 100  # columns: from here on the heads may be wider than their cells
_LEVELS = " .:+#"  # the shade as a character, for users who see no colours: from none to all
_GAP = 1


class MatrixTable(Widget, can_focus=True):
    """A table with a cursor on one cell, which the window follows."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "matrix--head",
        "matrix--row",
        "matrix--cursor",
        "matrix--none",
        *(f"matrix--{level}" for level in range(len(_LEVELS))),
        "matrix--worse",
        "matrix--same",
        "matrix--better",
    }
    BINDINGS = [*keys.MOVE, *keys.SIDEWAYS]  # noqa: RUF012
    ALLOW_SELECT = False

    class Moved(Message):
        """The cursor has moved to another cell."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.matrix = Matrix()
        self._question = Question()
        self._row = self._column = 0
        self._top = self._left = 0

    def show(self, matrix: Matrix, question: Question) -> None:
        """Draw a matrix. The cursor stays on its row and column if they are still there."""
        row, column = self.selected
        self.matrix = matrix
        self._row = matrix.rows.index(row) if row in matrix.rows else 0
        same = question.by is self._question.by and column in matrix.columns
        self._column = matrix.columns.index(column) if same else 0
        self._question = question
        self._reveal()
        self.refresh()

    @property
    def selected(self) -> tuple[Name, Name]:
        """The row and the column under the cursor."""
        rows, columns = self.matrix.rows, self.matrix.columns
        return (rows[self._row] if rows else None, columns[self._column] if columns else None)

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self._reveal()

    def _move(self, rows: int, columns: int) -> None:
        row = max(0, min(self._row + rows, len(self.matrix.rows) - 1))
        column = max(0, min(self._column + columns, len(self.matrix.columns) - 1))
        if (row, column) != (self._row, self._column):
            self._row, self._column = row, column
            self._reveal()
            self.refresh()
            self.post_message(self.Moved())

    def _reveal(self) -> None:
        height, layout = max(1, self.size.height - 1), self._layout()
        self._top = max(min(self._top, self._row), self._row - height + 1, 0)
        self._left = max(min(self._left, self._column), self._column - layout.columns + 1, 0)

    def action_up(self) -> None:
        """To the prompt above."""
        self._move(-1, 0)

    def action_down(self) -> None:
        """To the prompt below."""
        self._move(1, 0)

    def action_left(self) -> None:
        """To the column before."""
        self._move(0, -1)

    def action_right(self) -> None:
        """To the next column."""
        self._move(0, 1)

    def action_page_up(self) -> None:
        """A page of prompts up."""
        self._move(-max(1, self.size.height - 2), 0)

    def action_page_down(self) -> None:
        """A page of prompts down."""
        self._move(max(1, self.size.height - 2), 0)

    def action_first(self) -> None:
        """To the first prompt."""
        self._move(-len(self.matrix.rows), 0)

    def action_last(self) -> None:
        """To the last prompt."""
        self._move(len(self.matrix.rows), 0)

    def _layout(self) -> _Layout:
        return _Layout.fitting(self.matrix, self._question, self.size.width)

    @override
    def render_line(self, y: int) -> Strip:
        width, layout = self.size.width, self._layout()
        shown = range(self._left, min(self._left + layout.columns, len(self.matrix.columns)))
        row = self._top + y - 1
        if y == 0:
            segments = self._head(layout, shown)
        elif row < len(self.matrix.rows):
            segments = self._cells(row, layout, shown)
        else:
            segments = []
        return Strip(segments).crop_extend(0, width, self.rich_style)

    def _head(self, layout: _Layout, shown: range) -> list[Segment]:
        style = self._style("matrix--head")
        left, right = "<" if self._left else " ", ">" if shown.stop < len(self.matrix.columns) else " "
        segments = [Segment(" " * (layout.side - 1) + left, style)]
        for number in shown:
            name = fit(format_column_name(self.matrix.columns[number], self._question.by), layout.cell).rstrip()
            segments.append(Segment(" " * (layout.cell - cell_len(name) + _GAP) + name, style))
        return [*segments, Segment(f" {right}", style)]

    def _cells(self, row: int, layout: _Layout, shown: range) -> list[Segment]:
        name = self.matrix.rows[row]
        side = fit(format_row_name(name, self.matrix), layout.side - _GAP)
        segments = [Segment(f"{side} ", self._style("matrix--row") if row == self._row else self.rich_style)]
        for number in shown:
            column, here = self.matrix.columns[number], (row, number) == (self._row, self._column)
            cell = self.matrix.cell(name, column)
            style = self._style(_shade(cell, self._question, column))
            if here:
                style += self._style("matrix--cursor")
            words = format_cell(cell, self._question.arm is None)
            segments.append(Segment(" " * _GAP, self.rich_style))
            segments.append(Segment(f"{'>' if here else ' '}{words:>{layout.cell - 1}}", style))
        return segments

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(name, partial=True)


@dataclass(frozen=True, slots=True)
class _Layout:
    """The widths of a table."""

    side: int
    """Cells of the names on the left."""
    cell: int
    """Cells of each column."""
    columns: int
    """How many columns fit."""

    @classmethod
    def fitting(cls, matrix: Matrix, question: Question, width: int) -> _Layout:
        names = max((cell_len(format_row_name(row, matrix)) for row in matrix.rows), default=0)
        side = min(names, _SIDE_CELLS_MAX, width // 3) + _GAP
        heads = max((cell_len(format_column_name(column, question.by)) for column in matrix.columns), default=0)
        counts = max((len(format_cell(cell, question.arm is None)) for cell in matrix.cells.values()), default=0)
        cell = max(min(heads, _HEAD_CELLS_MAX) if width >= _WIDE else 0, counts + 1, _CELLS_MIN)
        return cls(side, cell, max(1, (width - side - 2) // (cell + _GAP)))


def format_row_name(row: Name, matrix: Matrix) -> str:
    """The name of a row."""
    if row is None:
        return "all prompts"
    return f"{one_line(row)} (trial)" if row in matrix.trials else one_line(row)


def format_column_name(column: Name, by: By) -> str:
    """The name of a column."""
    if column is None:
        return "all"
    return one_line(column) or ("as written" if by is By.VARIATION else "no tag")


def format_cell(cell: Cell, difference: bool) -> str:
    """`12/80  15% .`: k of n, the share, and the shade as a character; for a difference `+20/80 +25`."""
    share = cell.share
    if share is None:
        return "-"
    if difference:
        return f"{cell.k:+d}/{cell.n} {share * 100:+4.0f}" if cell.k else f"0/{cell.n}    0"
    return f"{cell.k}/{cell.n} {format_share(share):>4} {_LEVELS[_level(share)]}"


def _level(share: float) -> int:
    """From 0, for none at all, to 4, for all; what is between in thirds."""
    last = len(_LEVELS) - 1
    return 0 if share <= 0 else last if share >= 1 else 1 + int(share * (last - 1))


def _shade(cell: Cell, question: Question, column: Name) -> str:
    """The style of a cell. A high share is good, except of a class other than ok."""
    share, good = cell.share, question.by is not By.CLASS or column == "ok"
    if share is None:
        return "matrix--none"
    if question.arm is None:
        return "matrix--same" if not share else "matrix--better" if (share > 0) is good else "matrix--worse"
    if good:
        return f"matrix--{_level(share)}"
    return ("matrix--same", "matrix--2", "matrix--1")[min(_level(share), 2)]
