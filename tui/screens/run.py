"""The run screen: the jobs with both verdicts, and the two arms of the selected one, live."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual import on, work
from textual.app import ComposeResult
from textual.timer import Timer

from engine.errors import BadInputError
from engine.runs.listing import ListedRun
from tui import keys
from tui.messages import JobSelected, RunRequested
from tui.pages.record import record_line
from tui.process.runner import Runner
from tui.reports import write_findings
from tui.screens.dialogs import ConfirmScreen
from tui.screens.text import RemarksScreen
from tui.screens.trying import TryingScreen
from tui.state.adapters import with_adapter
from tui.state.counterpart import comparable_pair, describe_pair
from tui.state.filtered_jobs import FilteredJobs
from tui.state.filters import Filter
from tui.state.job import JobState, describe_no_alike, primary_class
from tui.state.run import RunState
from tui.state.task import Phase
from tui.terminal.clipboard import copy
from tui.terminal.driver import is_lagging
from tui.text.safe import one_line
from tui.widgets.job.job_views import JobDetails, ViewName
from tui.widgets.lines.key_line import KeyLine
from tui.widgets.lines.notice import Notice
from tui.widgets.lines.remark_line import RemarkLine
from tui.widgets.lines.status_line import StatusLine
from tui.widgets.lines.trial_line import TrialLine
from tui.widgets.lists.filter_line import FilterLine
from tui.widgets.lists.job_list import JobList

FLUSH_SECONDS = 0.1  # text reaches the panes in batches
REST_SECONDS = 0.3  # after which a selection is no longer on its way


class RunScreen(TryingScreen):
    """Draws a run ten times a second, if it changed: one that is on, or one that was read from its folder.

    state: None is the runner's. The runner is what tries things beside it, and runs it again.
    """

    BINDINGS = keys.RUN
    AUTO_FOCUS = "#jobs"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012

    def __init__(self, runner: Runner, state: RunState | None = None) -> None:
        super().__init__()
        self.runner = runner
        self._opened = state
        self._view: FilteredJobs | None = None
        self._drawn: tuple[object, ...] = ()
        self._rest: Timer | None = None
        self._told_of_records = False
        self._offered: RunState | None = None

    def compose(self) -> ComposeResult:
        """From top to bottom: status, remark, notice, filter, jobs, fork, panes."""
        yield StatusLine(id="status")
        yield RemarkLine(id="remark")
        yield Notice(id="notice")
        yield TrialLine(id="trial")
        yield FilterLine(id="filter")
        yield JobList(id="jobs")
        yield JobDetails(self.runner, id="job")
        yield KeyLine()

    @property
    def state(self) -> RunState | None:
        """The run shown."""
        return self._opened or self.runner.state

    @property
    def view(self) -> FilteredJobs:
        """The jobs shown. Made anew, with the filter of the last, when another run is shown."""
        assert self.state is not None
        if self._view is None or self._view.state is not self.state:
            former, self._view = self._view, FilteredJobs(self.state)
            if former is not None:
                self._view.filter = former.filter
        return self._view

    @property
    def selected(self) -> JobState | None:
        """The job under the cursor, its record at hand if it is finished. None where the filter shows no job."""
        state, cursor = self.state, self.query_one(JobList).cursor
        if state is None or cursor >= len(state.jobs) or not self.view.numbers:
            return None
        job = state.jobs[cursor]
        try:
            state.load(job)
        except (OSError, ValueError):
            if not self._told_of_records:  # the views say it of each job
                words = "The records of this run have changed on disk: open it again."
                self.notify(words, severity="error", markup=False)
                self._told_of_records = True
        return job

    def on_mount(self) -> None:
        """Begin to draw."""
        self.set_interval(FLUSH_SECONDS, self.flush)

    def on_screen_resume(self) -> None:
        """Draw at once when the screen comes to the front."""
        self._drawn = ()
        self.call_after_refresh(self.flush)

    def on_resize(self) -> None:
        """Widths have changed, and with them what fits."""
        self._drawn = ()
        self.call_after_refresh(self.flush)

    def flush(self) -> None:
        """Draw what changed since the last time. An idle screen writes nothing."""
        state = self.state
        if state is None or not self.is_current or is_lagging(self.app):
            return
        elapsed = time.monotonic() - state.since
        seconds = int(elapsed) if state.started is None and not state.over else 0
        now = (state, state.revision, seconds, *self.query_one(JobDetails).panes.below)
        if now == self._drawn:
            return
        self._drawn = now
        self.query_one(StatusLine).show(state, elapsed)
        self.query_one(RemarkLine).show(state)
        self.query_one(Notice).show(state, elapsed)
        job = self.selected if state.jobs else None
        self.query_one(TrialLine).show(state, job.info.prompt if job is not None else None, self.trial)
        self._show_list(state)
        self.set_class(not state.jobs, "-no-jobs")
        if state.jobs and self.focused is None:
            self.query_one(JobList).focus()
        self._show_job(state)
        if state is self.runner.state and state.phase is Phase.FINISHED and state is not self._offered:
            self._offered = state
            self._offer_beside(state)

    def _show_list(self, state: RunState) -> None:
        self.query_one(JobList).show(self.view, _title(state))
        self.query_one(FilterLine).show(self.view)

    def _show_job(self, state: RunState) -> None:
        self.query_one(JobDetails).show_job(state, self.selected)

    @on(JobSelected)
    def _job_selected(self) -> None:
        state = self.state
        if state is not None:
            self._show_job(state)
            if self._rest is not None:
                self._rest.stop()
            self._rest = self.set_timer(REST_SECONDS, self._prefer_selected)

    async def _prefer_selected(self) -> None:
        """The selection has come to rest: a job that waits is decoded next, as somebody looks at it."""
        job = self.selected
        if job is not None and not job.started and not job.over:
            await self.runner.prefer(job.info.id)

    def action_broken(self, step: int) -> None:
        """To the next (1) or previous (-1) job whose free reply is broken, round the end."""
        if not self._go(step, lambda job: job.broken):
            self.notify("No free reply is broken.", markup=False)

    def _go(self, step: int, wanted: Callable[[JobState], bool]) -> bool:
        """To the next (1) or previous (-1) of the jobs shown that is wanted, round the end. False where none is."""
        state, jobs = self.state, self.query_one(JobList)
        numbers = self.view.numbers if state is not None else ()
        if state is None or not numbers:
            return False
        row = self.view.nearest_row(jobs.cursor)
        for distance in range(1, len(numbers) + 1):
            number = numbers[(row + step * distance) % len(numbers)]
            if wanted(state.jobs[number]):
                jobs.select(number)
                return True
        return False

    def action_alike(self, step: int) -> None:
        """To the next (1) or previous (-1) job that is broken in the same way as the selected one, round the end."""
        job, jobs = self.selected, self.query_one(JobList)
        before, wanted = jobs.cursor, primary_class(job) if job is not None else None
        if wanted is not None:
            self._go(step, lambda other: primary_class(other) == wanted)
        if jobs.cursor == before:
            self.notify(describe_no_alike(wanted), markup=False)

    def action_follow(self) -> None:
        """Follow the newest job, or stay with the selected one."""
        state, jobs = self.state, self.query_one(JobList)
        if state is None or state.over or state.newest is None:
            self.notify("There is no newest job to follow: none is being decoded.", markup=False)
        else:
            jobs.follow(not jobs.following)

    def action_search_text(self) -> None:
        """Find jobs by a text."""
        if self.state is not None and self.state.jobs:
            self.query_one(FilterLine).edit(self.view)

    @on(FilterLine.Changed)
    def _filter_changed(self) -> None:
        """The filter holds at once."""
        if self.state is not None:
            self._show_list(self.state)
            self._show_job(self.state)

    @on(FilterLine.Move)
    def _move_while_typing(self, message: FilterLine.Move) -> None:
        getattr(self.query_one(JobList), f"action_{message.way}")()

    @on(FilterLine.Closed)
    def _filter_closed(self, message: FilterLine.Closed) -> None:
        self._keep_filter(self.view.filter)
        if not message.left:
            self.query_one(JobList).focus()

    def _keep_filter(self, filter: Filter | None) -> None:
        """Let through what a filter does, and stay with the job that is selected then. None changes nothing."""
        if filter is not None:
            self.view.filter = filter
        self._filter_changed()
        self.query_one(JobList).settle()

    def action_filter(self) -> None:
        """Filter by outcome, class, tag, prompt and variation."""
        from tui.screens.filter import FilterScreen

        if self.state is not None and self.state.jobs:
            self.app.push_screen(FilterScreen(self.view), self._keep_filter)

    def action_matrix(self) -> None:
        """Prompts by variations, tags or classes."""
        from tui.screens.matrix import MatrixScreen

        if self.state is not None and self.state.jobs:
            self.app.push_screen(MatrixScreen(self.view), self._keep_filter)

    async def action_pause(self) -> None:
        """Pause the run, or go on."""
        work = self.trial if self.trial is not None and not self.trial.over else self.state
        if work is None or work.phase is not Phase.RUNNING:
            self.notify("There is nothing to pause.", markup=False)
            return
        await self.runner.pause(not work.paused)

    async def action_cancel(self) -> None:
        """Take the selected job out of the run. Nothing is asked: it can be run again."""
        job = self.selected
        if job is None or job.over or not self.runner.busy:
            self.notify("There is nothing to cancel: this job is over.", markup=False)
            return
        await self.runner.cancel(job.info.id)

    async def action_copy(self, what: str) -> None:
        """Copy the reply of the pane with the focus, else the free one; or the whole record as a line of JSON."""
        job = self.selected
        if job is None or job.record is None:
            self.notify("There is nothing to copy: this job is not finished.", markup=False)
            return
        name = job.info.id.replace("/", "-")
        if what == "record":
            text, name = record_line(job.record), f"{name}.json"
        else:
            arm = self.query_one(JobDetails).arm
            text, name = job.record.reply(arm).text, f"{name}-{arm}.txt"
        self.notify(one_line(await copy(self.app, text, name)), markup=False)

    @work(thread=True, exclusive=True, group="report")
    def action_report(self) -> None:
        """Write the report of the run beside its folder."""
        state = self.state
        if state is None or state.folder is None:
            words = "There is no run to report on."
        else:
            try:
                words = f"The report is in {one_line(str(write_findings(state.folder)))}"
            except BadInputError as error:
                words = one_line(str(error))
        self.app.call_from_thread(self.notify, words, markup=False)

    def action_remarks(self) -> None:
        """Show all remarks on the run."""
        state = self.state
        if state is None or not state.remarks:
            self.notify("There are no remarks on this run.", markup=False)
            return
        self.app.push_screen(RemarksScreen(state.remarks))

    def action_show(self, name: ViewName) -> None:
        """Put a view of the selected job in the panes' place, or them back."""
        if self.state is not None and self.state.jobs:
            self.query_one(JobDetails).toggle(name)

    def action_zoom(self) -> None:
        """Give the focused pane, or the view in the panes' place, the whole screen, or take it back."""
        self.query_one(JobDetails).zoom()

    def action_again(self) -> None:
        """Go on with a run of which jobs are missing; else run the suite again, without the excluded cases."""
        state = self.state
        if state is None or not state.over or self.runner.busy:
            self.notify("Something is still on.", markup=False)
        else:
            folder = state.folder if state.resumable else None
            self.app.post_message(RunRequested(state.suite, folder, frozenset(state.excluded), state.adapter))

    @work(thread=True, exclusive=True, group="beside")
    def action_beside(self) -> None:
        """Compare the run with that of the base, or of another adapter."""
        from tui.screens.compare import open_comparison

        found = _runs_beside(self.state)
        if found is None:
            words = "There is no finished run of this suite on this model with another adapter, or with none."
            self.app.call_from_thread(self.notify, words, markup=False)
        else:
            self.app.call_from_thread(open_comparison, self.app, self.runner, *(run.folder for run in found))

    @work(thread=True, exclusive=True, group="beside")
    def _offer_beside(self, state: RunState) -> None:
        """A run with adapters has ended: say that it can be compared, where it can."""
        if (found := _runs_beside(state)) is not None:
            words = f"b shows {one_line(describe_pair(*found))} beside each other."
            self.app.call_from_thread(self.notify, words, markup=False)

    def action_back(self) -> None:
        """Close the view in the panes' place; then clear the filter; then back, asking first when a run is on."""
        if self.query_one(JobDetails).close():
            return
        if self._view is not None and self._view.filter:
            self._keep_filter(Filter())
            return
        if not self.runner.busy:
            self.dismiss()
            return
        noun = self.runner.work.label if self.runner.work is not None else "run"
        question = f"A {noun} is on. Stop it and go back? What is finished stays on disk."
        self.app.push_screen(ConfirmScreen(question, "Stop and go back"), self._leave)

    async def _leave(self, stop: bool | None) -> None:
        if stop:
            await self.runner.stop()
            self.dismiss()


def _runs_beside(state: RunState | None) -> tuple[ListedRun, ListedRun] | None:
    try:
        return comparable_pair(state.folder) if state is not None and state.folder is not None else None
    except OSError:  # the list of runs says why
        return None


def _title(state: RunState) -> str:
    """What runs on what."""
    if state.started is None:
        return one_line(state.suite.stem)
    words = [state.started.suite, with_adapter(state.started.model, state.adapter)]
    if state.model is not None:
        words += [state.model.device, state.model.dtype]
    return one_line("  ".join(words))
