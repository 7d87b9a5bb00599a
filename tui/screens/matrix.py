"""The matrix screen: where replies break, by prompt and by variation, tag or class."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import TypeVar

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static
from typing_extensions import override

from engine.records import ARMS, Arm
from engine.statistics import Interval, Share
from tui import keys
from tui.state.filtered_jobs import FilteredJobs
from tui.state.filters import Filter
from tui.state.intervals import difference_interval, format_interval, format_share, interval
from tui.state.matrix import By, Name, Question, Rate, cell_design_effect, cell_pairs, count, filter_of
from tui.text.safe import one_line, shorten
from tui.widgets.lines.key_line import KeyLine
from tui.widgets.lists.matrix_table import MatrixTable, format_column_name, format_row_name

COUNT_SECONDS = 1.0
REST_SECONDS = 0.2  # for which the cursor must stay on a cell before its interval is computed
_ARMS: tuple[Arm | None, ...] = (*ARMS, None)
_Choice = TypeVar("_Choice", bound=Enum)


class MatrixScreen(Screen[Filter | None]):
    """Recounts once a second while the run is in progress. Ends with the filter of a cell, or None."""

    BINDINGS = keys.MATRIX
    AUTO_FOCUS = "#matrix"

    def __init__(self, view: FilteredJobs) -> None:
        super().__init__()
        self._view = view
        self._question = Question()
        self._counted: tuple[object, ...] = ()
        self._rest: Timer | None = None

    @override
    def compose(self) -> ComposeResult:
        yield Static(id="matrix-question", markup=False)
        yield MatrixTable(id="matrix")
        yield Static(id="matrix-cell", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Count, and count again while the run is in progress."""
        self.set_interval(COUNT_SECONDS, self._count)
        self._count()

    def on_screen_resume(self) -> None:
        """Show what has changed while another screen was in front."""
        self._count()

    def on_resize(self) -> None:
        """The texts are cut to the width."""
        self._counted = ()
        self.call_after_refresh(self._count)

    def _count(self) -> None:
        """Draw the counts, if anything has changed."""
        now = (self._view.state.revision, self._question)
        if now == self._counted or not self.is_current:
            return
        self._counted = now
        self._view.update()
        self.query_one(MatrixTable).show(count(self._view.groups, self._question), self._question)
        self.query_one("#matrix-question", Static).update(Content(self._describe_question()))
        self._show_cell()

    def _describe_question(self) -> str:
        """What is counted: `prompts by variations   ok   free`."""
        question, labels = self._question, self._view.state.labels
        arm = labels[ARMS.index(question.arm)] if question.arm else f"{labels[1]} minus {labels[0]}"
        counted = "with the class" if question.by is By.CLASS else question.rate.value
        note = ", in points" if question.arm is None else ""
        words = one_line(f"prompts by {question.by.value}   {counted}   {arm}{note}")
        return shorten(words, self.size.width - 2)

    @on(MatrixTable.Moved)
    def _show_cell(self) -> None:
        """Describe the cell at once, and its interval when the cursor rests: that takes longer."""
        self.query_one("#matrix-cell", Static).update(Content(self._describe_cell(None)))
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST_SECONDS, self._show_interval)

    def _show_interval(self) -> None:
        row, column = self.query_one(MatrixTable).selected
        self.query_one("#matrix-cell", Static).update(Content(self._describe_cell(self._interval(row, column))))

    def _interval(self, row: Name, column: Name) -> Interval | None:
        """The interval of a cell, as the report computes it."""
        groups, question = self._view.groups, self._question
        if question.arm is None:
            return difference_interval(cell_pairs(groups, question, row, column))
        cell = self.query_one(MatrixTable).matrix.cell(row, column)
        return interval(Share(cell.k, cell.n), cell_design_effect(groups, question, row, column))

    def _describe_cell(self, found: Interval | None) -> str:
        table, question = self.query_one(MatrixTable), self._question
        row, column = table.selected
        if not table.matrix.cells:
            return "No reply is judged yet."
        cell = table.matrix.cell(row, column)
        names = f"{format_row_name(row, table.matrix)}  {format_column_name(column, question.by)}"
        if cell.share is None:
            return f"{names}: no reply"
        if question.arm is None:
            ends = f", 95% interval {found[0] * 100:+.0f} to {found[1] * 100:+.0f}" if found else ""
            words = f"{cell.k:+d} of {cell.n} pairs, {cell.share * 100:+.0f} points{ends}"
        else:
            ends = f", 95% interval {format_interval(found)}" if found else ""
            words = f"{cell.k} of {cell.n} replies, {format_share(cell.share)}{ends}"
        return f"{shorten(names, max(10, self.size.width - 2 - len(words) - 2))}: {words}"

    def action_columns(self) -> None:
        """Switch to variations, tags or classes."""
        self._ask(replace(self._question, by=_next(By, self._question.by)))

    def action_rate(self) -> None:
        """Switch to the next rate; by classes there is only one."""
        if self._question.by is By.CLASS:
            self.notify("By classes the share of replies with the class is shown; v shows the others.", markup=False)
        else:
            self._ask(replace(self._question, rate=_next(Rate, self._question.rate)))

    def action_arm(self) -> None:
        """Switch to the first arm, the second or their difference."""
        arm = _ARMS[(_ARMS.index(self._question.arm) + 1) % len(_ARMS)]
        self._ask(replace(self._question, arm=arm))

    def _ask(self, question: Question) -> None:
        self._question = question
        self._count()

    def action_open(self) -> None:
        """Show the jobs of the cell."""
        table = self.query_one(MatrixTable)
        if table.matrix.cells:
            self.dismiss(filter_of(self._question, *table.selected))

    def action_back(self) -> None:
        """Leave the filter as it is."""
        self.dismiss(None)


def _next(choices: type[_Choice], now: _Choice) -> _Choice:
    found = list(choices)
    return found[(found.index(now) + 1) % len(found)]
