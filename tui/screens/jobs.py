"""What the screens of jobs share: the list with both verdicts, its filter, and the two replies of the selected job."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.notifications import SeverityLevel
from textual.screen import Screen
from typing_extensions import override

from engine.errors import BadInputError
from tui.messages import JobSelected, MoveRequested
from tui.pages.record import record_line
from tui.process.runner import Runner
from tui.screens.dialogs import Answer, ConfirmScreen
from tui.screens.text import RemarksScreen
from tui.state.adapters import with_adapter
from tui.state.filtered_jobs import FilteredJobs
from tui.state.filters import Filter
from tui.state.job import JobState, describe_no_alike, primary_class
from tui.state.run import RunState
from tui.terminal.clipboard import copy
from tui.terminal.driver import is_lagging
from tui.text.safe import one_line
from tui.widgets.job.job_views import JobDetails, ViewName
from tui.widgets.lines.filter_line import FilterLine
from tui.widgets.lines.key_line import KeyLine
from tui.widgets.lines.notice import Notice
from tui.widgets.lines.remark_line import RemarkLine
from tui.widgets.lines.status_line import StatusLine
from tui.widgets.lists.job_list import JobList

FLUSH_SECONDS = 0.1  # text reaches the panes in batches


class JobScreen(Screen[None]):
    """Draws the jobs of a state ten times a second, if it changed.

    A subclass binds the keys, and adds what is its own to `compose`, to `draw` and to the actions.
    """

    AUTO_FOCUS = "#jobs"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012

    runner: Runner
    """The engine: of the run, of trials, and what renders prompts."""

    view: FilteredJobs
    """The jobs shown."""

    def __init__(self, runner: Runner, state: RunState) -> None:
        super().__init__()
        self.runner = runner
        self.view = FilteredJobs(state)
        self._drawn: tuple[object, ...] = ()
        self._records_changed = False

    @override
    def compose(self) -> ComposeResult:
        yield StatusLine(id="status")
        yield RemarkLine(id="remark")
        yield Notice(id="notice")
        yield FilterLine(id="filter")
        yield JobList(id="jobs")
        yield JobDetails(self.runner, id="job")
        yield KeyLine()

    @property
    def state(self) -> RunState:
        """The run shown, or the comparison as if it were one."""
        return self.view.state

    def show_state(self, state: RunState) -> None:
        """Show other jobs, through the same filter."""
        former, self.view = self.view, FilteredJobs(state)
        self.view.filter = former.filter
        self.flush()

    @property
    def selected(self) -> JobState | None:
        """The job under the cursor, its record loaded if it is finished. None where the filter shows no job."""
        state, cursor = self.state, self.query_one(JobList).cursor
        if cursor >= len(state.jobs) or not self.view.numbers:
            return None
        job = state.jobs[cursor]
        try:
            state.load(job)
        except (OSError, ValueError):
            if not self._records_changed:  # once: the views say it of each job
                self._records_changed = True
                self.inform("The records of this run have changed on disk: open it again.", "error")
        return job

    def inform(self, sentence: str, severity: SeverityLevel = "information") -> None:
        """Notify the user with a sentence that may contain anything."""
        self.notify(one_line(sentence), severity=severity, markup=False)

    def on_mount(self) -> None:
        """Start drawing."""
        self.set_interval(FLUSH_SECONDS, self.flush)

    def on_screen_resume(self) -> None:
        """Draw at once when the screen comes to the front."""
        self._redraw()

    def on_resize(self) -> None:
        """Widths have changed, and with them what fits."""
        self._redraw()

    def _redraw(self) -> None:
        self._drawn = ()
        self.call_after_refresh(self.flush)

    def flush(self) -> None:
        """Draw what changed since the last time. An idle screen writes nothing."""
        if not self.is_current or is_lagging(self.app):
            return
        state = self.state
        elapsed = time.monotonic() - state.since
        seconds = int(elapsed) if state.started is None and not state.over else 0
        now = (state, state.revision, seconds, *self.query_one(JobDetails).panes.below)
        if now != self._drawn:
            self._drawn = now
            self.draw(elapsed)

    def draw(self, elapsed: float) -> None:
        """Draw everything; each widget writes only what is new in it. elapsed: seconds since the run was requested."""
        state = self.state
        self.query_one(StatusLine).show(state, elapsed)
        self.query_one(RemarkLine).show(state)
        self.query_one(Notice).show(state, elapsed)
        self._show_list()
        self.set_class(not state.jobs, "-no-jobs")
        if state.jobs and self.focused is None:
            self.query_one(JobList).focus()
        self._show_job()

    def _show_list(self) -> None:
        self.query_one(JobList).show(self.view, _title(self.state))
        self.query_one(FilterLine).show(self.view)

    @on(JobSelected)
    def _show_job(self) -> None:
        self.query_one(JobDetails).show_job(self.state, self.selected)

    def select_next(self, step: int, wanted: Callable[[JobState], bool]) -> bool:
        """Select the next (1) or previous (-1) wanted job shown, wrapping around. False if there is none."""
        jobs, numbers = self.query_one(JobList), self.view.numbers
        if not numbers:
            return False
        row = self.view.nearest_row(jobs.cursor)
        for distance in range(1, len(numbers) + 1):
            number = numbers[(row + step * distance) % len(numbers)]
            if wanted(self.state.jobs[number]):
                jobs.select(number)
                return True
        return False

    def action_alike(self, step: int) -> None:
        """To the next (1) or previous (-1) job that is broken in the same way as the selected one."""
        job, jobs = self.selected, self.query_one(JobList)
        before, wanted = jobs.cursor, primary_class(job) if job is not None else None
        if wanted is not None:
            self.select_next(step, lambda other: primary_class(other) == wanted)
        if jobs.cursor == before:
            self.inform(describe_no_alike(wanted))

    def action_search_text(self) -> None:
        """Find jobs by a text."""
        if self.state.jobs:
            self.query_one(FilterLine).edit(self.view)

    @on(FilterLine.Changed)
    def _filter_changed(self) -> None:
        """The filter applies at once."""
        self._show_list()
        self._show_job()

    @on(MoveRequested)
    def _move_while_typing(self, message: MoveRequested) -> None:
        self.query_one(JobList).move(message.direction)

    @on(FilterLine.Closed)
    def _filter_closed(self, message: FilterLine.Closed) -> None:
        self._keep_filter(self.view.filter)
        if not message.left:
            self.query_one(JobList).focus()

    def _keep_filter(self, filter: Filter | None) -> None:
        """Apply a filter, and keep the job that is then selected. None changes nothing."""
        if filter is not None:
            self.view.filter = filter
        self._filter_changed()
        self.query_one(JobList).settle()

    def action_filter(self) -> None:
        """Filter by outcome, class, tag, prompt and variation."""
        from tui.screens.filter import FilterScreen

        if self.state.jobs:
            self.app.push_screen(FilterScreen(self.view), self._keep_filter)

    def action_matrix(self) -> None:
        """Prompts by variations, tags or classes."""
        from tui.screens.matrix import MatrixScreen

        if self.state.jobs:
            self.app.push_screen(MatrixScreen(self.view), self._keep_filter)

    async def action_copy(self, what: str) -> None:
        """Copy the reply of the focused pane, else the free one; or the whole record as a line of JSON."""
        job = self.selected
        if job is None or job.record is None:
            self.inform("There is nothing to copy: this job is not finished.")
            return
        name = job.info.id.replace("/", "-")
        if what == "record":
            text, name = record_line(job.record), f"{name}.json"
        else:
            arm = self.query_one(JobDetails).arm
            text, name = job.record.reply(arm).text, f"{name}-{arm}.txt"
        self.inform(await copy(self.app, text, name))

    def write_report(self, subject: str, write: Callable[[], Path]) -> None:
        """Write a report and say where it is. Call it in a thread. subject: what people call it."""
        try:
            sentence = f"The {subject} is in {one_line(str(write()))}"
        except BadInputError as error:
            sentence = str(error)
        self.app.call_from_thread(self.inform, sentence)

    def action_remarks(self) -> None:
        """Show all remarks on the run."""
        if self.state.remarks:
            self.app.push_screen(RemarksScreen(self.state.remarks))
        else:
            self.inform("There are no remarks on this run.")

    def action_show(self, name: ViewName) -> None:
        """Replace the panes with a view of the selected job, or bring them back."""
        if self.state.jobs:
            self.query_one(JobDetails).toggle(name)

    def action_zoom(self) -> None:
        """Give the focused pane, or the view in its place, the whole screen, or take it back."""
        self.query_one(JobDetails).zoom()

    def action_back(self) -> None:
        """Close the view over the panes; then clear the filter; then go back, asking first while something runs."""
        if self.query_one(JobDetails).close():
            return
        if self.view.filter:
            self._keep_filter(Filter())
            return
        if not self.runner.busy:
            self.dismiss()
            return
        label = self.runner.task.label if self.runner.task is not None else "run"
        question = f"A {label} is in progress. Stop it and go back? What is finished stays on disk."
        self.app.push_screen(ConfirmScreen(question, "Stop and go back"), self._leave)

    async def _leave(self, answer: Answer | None) -> None:
        if answer == "stop":
            await self.runner.stop()
            self.dismiss()


def _title(state: RunState) -> str:
    """What runs on what."""
    if state.started is None:
        return one_line(state.suite.stem)
    words = [state.started.suite, with_adapter(state.started.model, state.adapter)]
    if state.model is not None:
        words += [state.model.device, state.model.dtype]
    return one_line("  ".join(words))
