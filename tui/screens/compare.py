"""The screen of two runs, job by job: the baseline's replies next to the candidate's."""

from __future__ import annotations

from textual import on, work
from textual.app import ComposeResult
from textual.worker import get_current_worker
from typing_extensions import override

from engine.records import Arm
from tui import keys
from tui.messages import PairsRead
from tui.process.runner import Runner
from tui.reports import write_comparison
from tui.screens.jobs import JobScreen
from tui.state import intervals
from tui.state.comparison import Comparison
from tui.state.filters import Outcome, outcomes
from tui.state.job_groups import group_of
from tui.state.task import Phase
from tui.text.safe import one_line
from tui.widgets.lines.change_line import ChangeLine
from tui.widgets.lines.notice import Notice
from tui.widgets.lines.status_line import StatusLine
from tui.widgets.lists.job_list import JobList


class CompareScreen(JobScreen):
    """Shows one arm of both runs, the free one first."""

    BINDINGS = keys.COMPARE

    def __init__(self, runner: Runner, comparison: Comparison) -> None:
        self._arm: Arm = "free"
        self._comparison = comparison
        super().__init__(runner, comparison.of(self._arm).state)

    @override
    def compose(self) -> ComposeResult:
        for widget in super().compose():
            yield widget
            if isinstance(widget, StatusLine):
                yield ChangeLine(id="change")

    def on_mount(self) -> None:
        """Start reading."""
        self._read()

    @work(thread=True, exclusive=True, group="records")
    def _read(self) -> None:
        worker = get_current_worker()
        for batch in self._comparison.read():
            if worker.is_cancelled:
                return
            if batch.remarks is not None:
                _load_statistics()
            self.post_message(PairsRead(batch))

    @on(PairsRead)
    def _apply(self, message: PairsRead) -> None:
        self._comparison.apply(message.batch)
        if message.batch.remarks is not None and not self.state.jobs:
            words = one_line(self._comparison.nothing_in_common)
            self.app.notify(words, severity="error", markup=False)  # by the app, as this screen closes
            self.dismiss()

    @override
    def draw(self, elapsed: float) -> None:
        super().draw(elapsed)
        side = self._comparison.of(self._arm)
        read = side.state.phase is Phase.FINISHED
        self.query_one(ChangeLine).show(self._arm, side, read)
        self.query_one(Notice).display = not read  # that all has been read needs no line

    def action_arm(self) -> None:
        """Compare the replies of the other arm, at the same job."""
        cursor = self.query_one(JobList).cursor
        self._arm = "constrained" if self._arm == "free" else "free"
        self.show_state(self._comparison.of(self._arm).state)
        self.query_one(JobList).select(cursor)

    def action_broken(self, step: int) -> None:
        """To the next (1) or previous (-1) job that has regressed."""
        if not self.select_next(step, lambda job: Outcome.LOST in outcomes(group_of(job))):
            self.inform("Nothing has regressed.")

    @work(thread=True, exclusive=True, group="report")
    def action_report(self) -> None:
        """Write the comparison next to the candidate's folder."""
        self.write_report("comparison", lambda: write_comparison(*self._comparison.folders))


def _load_statistics() -> None:
    """Load what the figures of the comparison need, in the thread, so that no key waits for it."""
    import scipy.stats  # noqa: F401

    intervals.load()
