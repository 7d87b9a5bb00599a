"""A run beside its baseline, job by job, in the screen of runs."""

from __future__ import annotations

from pathlib import Path

from textual import on, work
from textual.app import App, ComposeResult
from textual.worker import get_current_worker

from engine.errors import BadInputError
from engine.records import Arm
from tui import keys
from tui.messages import PairsRead
from tui.process.runner import Runner
from tui.reports import write_comparison
from tui.screens.run import RunScreen
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

_OF_A_RUN = {"beside", "edit", "save_prompt", "rerun", "exclude", "pause", "cancel", "again", "follow"}


def open_comparison(app: App[None], runner: Runner, baseline: Path, candidate: Path) -> None:
    """Show two runs beside each other. The user is told where their records cannot be read."""
    try:
        comparison = Comparison(baseline, candidate)
    except BadInputError as error:
        app.notify(one_line(str(error)), severity="error", markup=False)
    else:
        app.push_screen(CompareScreen(runner, comparison))


class CompareScreen(RunScreen):
    """Shows one arm of both runs, the free one first. Nothing is tried from here: that belongs to a run."""

    BINDINGS = keys.COMPARE

    def __init__(self, runner: Runner, comparison: Comparison) -> None:
        self._arm: Arm = "free"
        self._comparison = comparison
        super().__init__(runner, comparison.of(self._arm).state)

    def compose(self) -> ComposeResult:
        """What has changed stands under the rates."""
        for widget in super().compose():
            yield widget
            if isinstance(widget, StatusLine):
                yield ChangeLine(id="change")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the keys that belong to a single run."""
        return action not in _OF_A_RUN

    def on_mount(self) -> None:
        """Begin to read."""
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
    def _take(self, message: PairsRead) -> None:
        self._comparison.apply(message.batch)
        if message.batch.remarks is not None and self.state is not None and not self.state.jobs:
            words = one_line(self._comparison.nothing_in_common)
            self.app.notify(words, severity="error", markup=False)
            self.dismiss()

    def flush(self) -> None:
        """Draw what changed, the counts over the list among it."""
        super().flush()
        side = self._comparison.of(self._arm)
        read = side.state.phase is Phase.FINISHED
        self.query_one(ChangeLine).show(self._arm, side, read)
        self.query_one(Notice).display = not read  # that all has been read needs no line

    def action_arm(self) -> None:
        """Compare the replies of the other arm, at the same job."""
        cursor = self.query_one(JobList).cursor
        self._arm = "constrained" if self._arm == "free" else "free"
        self._opened = self._comparison.of(self._arm).state
        self.flush()
        self.query_one(JobList).select(cursor)

    @work(thread=True, exclusive=True, group="report")
    def action_report(self) -> None:
        """Write the comparison beside the candidate's folder."""
        try:
            words = f"The comparison is in {one_line(str(write_comparison(*self._comparison.folders)))}"
        except BadInputError as error:
            words = one_line(str(error))
        self.app.call_from_thread(self.notify, words, markup=False)

    def action_broken(self, step: int) -> None:
        """To the next (1) or previous (-1) job that has regressed, round the end."""
        if not self._go(step, lambda job: Outcome.LOST in outcomes(group_of(job))):
            self.notify("Nothing has regressed.", markup=False)


def _load_statistics() -> None:
    """Load what the figures of the comparison take, in the thread, so that no key waits for it."""
    import scipy.stats  # noqa: F401

    intervals.load()
