"""The values of both replies next to the expected ones, with the differing fields marked."""

from __future__ import annotations

from textual.content import Content
from typing_extensions import override

from tui.pages.values import values_lines
from tui.state.job import JobState, job_name
from tui.state.manifest_facts import facts_for
from tui.state.run import RunState
from tui.widgets.views.line_view import LineView


class ValuesView(LineView):
    """A table, made anew when another job is selected, when the job is finished, and when the width changes."""

    ALLOW_MAXIMIZE = True

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._job: JobState | None = None
        self._state: RunState | None = None
        self._drawn: tuple[object, ...] = ()

    def show_job(self, state: RunState, job: JobState | None) -> None:
        """Draw the values of a job."""
        ended = job is not None and (job.record is not None, job.cancelled)
        now = (ended, state.labels, self.line_cells)
        if job is self._job and state is self._state and now == self._drawn:
            return
        if job is not self._job:
            self.scroll_to(y=0, animate=False)
        self._state, self._job, self._drawn = state, job, now
        if job is None:
            self.show_lines(())
            return
        self.border_title = Content(f"VALUES  {job_name(job.info)}")
        self.show_lines(values_lines(job, state.labels, facts_for(state, job), self.line_cells - 1))

    @override
    def on_resize(self) -> None:
        super().on_resize()
        if self._state is not None and self.line_cells != self._drawn[-1]:
            self.show_job(self._state, self._job)
