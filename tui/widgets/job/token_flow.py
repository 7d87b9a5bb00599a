"""The tokens of a reply in rows, each shaded by its probability, with the percentage below it; a cursor on one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from textual.cache import LRUCache
from textual.events import Click
from textual.message import Message
from textual.strip import Strip
from typing_extensions import override

from tui import keys
from tui.pages.tokens import Token, rows_of
from tui.text.safe import shorten
from tui.widgets.views.scrolling import ScrollingView
from tui.widgets.views.text_view import FORK_GLYPH


class TokenFlow(ScrollingView, inherit_bindings=False):
    """Only the rows in view are drawn: a reply may have ten thousand tokens."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"token--{level}" for level in range(5)),
        "token--cursor",
        "token--fork",
        "token--percent",
    }
    BINDINGS = keys.ARROWS

    class Moved(Message):
        """The cursor has moved to another token."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = 0
        self._tokens: Sequence[Token] = ()
        self._fork: int | None = None
        self._rows: list[range] = [range(0)]
        self._folded_at = 0
        self._lines = 1  # screen lines per row: 2 with percentages
        self._strips: LRUCache[int, Strip] = LRUCache(512)

    def show(self, tokens: Sequence[Token], fork: int | None, cursor: int) -> None:
        """Show a reply's tokens. fork: the number of the token at which the arms part."""
        self._tokens, self._fork, self.cursor = tokens, fork, cursor
        self._lines = 2 if any(token.percent for token in tokens) else 1
        self._fold()
        self._reveal()

    def on_resize(self) -> None:
        """Break the rows anew, keeping the cursor in view."""
        if self.line_cells != self._folded_at:
            self._fold()
            self._reveal()
        else:
            self.grow_to(len(self._rows) * self._lines)

    def _fold(self) -> None:
        self._folded_at = self.line_cells
        self._rows = rows_of(self._tokens, max(4, self.line_cells), self._fork)
        self.grow_to(len(self._rows) * self._lines)
        self._strips.clear()
        self.refresh()

    @override
    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    def _row_of(self, number: int) -> int:
        return max(0, bisect_right(self._rows, number, key=lambda row: row.start) - 1)

    def _reveal(self) -> None:
        """Scroll the cursor's row into view, with all its lines."""
        top, height = self.scroll_offset.y, self.size.height
        first = self._row_of(self.cursor) * self._lines
        last = first + self._lines
        if first < top or last > top + height:
            self.scroll_to(y=max(0, first - height // 2), animate=False)

    def move(self, number: int) -> None:
        """Move the cursor to a token, or to the nearest one there is."""
        number = max(0, min(number, len(self._tokens) - 1))
        if number != self.cursor and self._tokens:
            before, self.cursor = self.cursor, number
            self._reveal()
            for line in {self._row_of(each) * self._lines for each in (before, number)}:
                self._strips.discard(line)
                self.refresh_line(line)
            self.post_message(self.Moved())

    def _step_rows(self, rows: int) -> None:
        """Move by rows, to the token nearest to the same column."""
        row = self._row_of(self.cursor)
        column = self._column_of(self.cursor, self._rows[row])
        target = self._rows[max(0, min(row + rows, len(self._rows) - 1))]
        if target and target is not self._rows[row]:
            self.move(min(target, key=lambda number: abs(self._column_of(number, target) - column)))

    def _column_of(self, number: int, row: range) -> int:
        """The cell at which a token of a row begins."""
        return sum(self._cells(before) + 1 for before in range(row.start, number)) + (number == self._fork)

    def _cells(self, number: int) -> int:
        return min(self._tokens[number].cells, max(4, self.line_cells) - 1) + (number == self._fork)

    @override
    def action_up(self) -> None:
        self._step_rows(-1)

    @override
    def action_down(self) -> None:
        self._step_rows(1)

    @override
    def action_page_up(self) -> None:
        self._step_rows(-max(1, self.size.height // self._lines - 1))

    @override
    def action_page_down(self) -> None:
        self._step_rows(max(1, self.size.height // self._lines - 1))

    @override
    def action_first(self) -> None:
        self.move(0)

    @override
    def action_last(self) -> None:
        self.move(len(self._tokens))

    def on_click(self, event: Click) -> None:
        """Put the cursor on the token clicked."""
        at = event.get_content_offset(self)
        line = (at.y if at is not None else 0) + self.scroll_offset.y
        row = self._rows[min(line // self._lines, len(self._rows) - 1)]
        before = [number for number in row if at is not None and self._column_of(number, row) <= at.x]
        if before:
            self.move(before[-1])

    @override
    def render_line(self, y: int) -> Strip:
        line, width = self.scroll_offset.y + y, self.size.width
        if line >= len(self._rows) * self._lines:
            return Strip.blank(width, self.base_style)
        strip = self._strips.get(line)
        if strip is None:
            strip = self._strips[line] = self._draw(*divmod(line, self._lines))
        return strip.crop_extend(0, width, self.base_style)

    def _draw(self, row: int, part: int) -> Strip:
        draw = self._draw_percent if part else self._draw_text
        return Strip([piece for number in self._rows[row] for piece in draw(self._tokens[number])])

    def _draw_text(self, token: Token) -> list[Segment]:
        cells = self._cells(token.number) - (token.number == self._fork)
        style = self.base_style if token.level is None else self.part_style(f"token--{token.level}")
        if token.number == self.cursor:
            style += self.get_component_rich_style("token--cursor", partial=True)
        pieces = [Segment(set_cell_size(shorten(token.shown, cells), cells), style), Segment(" ", self.base_style)]
        if token.number == self._fork:
            pieces.insert(0, Segment(FORK_GLYPH, self.part_style("token--fork")))
        return pieces

    def _draw_percent(self, token: Token) -> list[Segment]:
        cells = self._cells(token.number)
        indent = " " if token.number == self._fork else ""
        return [Segment(set_cell_size(indent + token.percent, cells) + " ", self.part_style("token--percent"))]
