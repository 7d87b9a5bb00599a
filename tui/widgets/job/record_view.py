"""The record of a job, as it is on disk."""

from __future__ import annotations

from textual.content import Content

from engine.records import Record
from tui.pages.record import record_text
from tui.state.job import JobState, job_name
from tui.state.run import RunState
from tui.widgets.views.text_view import JobText


class RecordView(JobText):
    """Indented JSON, made anew when another job is selected."""

    ALLOW_MAXIMIZE = True

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._job: JobState | None = None
        self._record: Record | None = None

    def show_job(self, state: RunState, job: JobState | None) -> None:
        """Draw the record of a job, if it is finished."""
        if job is None or (job is self._job and job.record is self._record):
            return
        self._job, self._record = job, job.record
        self.border_title = Content(f"RECORD  {job_name(job.info)}")
        self.show(
            record_text(job.record, state.labels)
            if job.record is not None
            else unfinished(job, "The record is written")
        )
        self.scroll_to(y=0, animate=False)


def unfinished(job: JobState, what: str) -> str:
    """Why a job has nothing to show yet: `what` begins the sentence."""
    if job.cancelled:
        return "This job was cancelled: it has no record."
    return f"{what} when the job is finished." if not job.finished else "The record of this job cannot be read."
