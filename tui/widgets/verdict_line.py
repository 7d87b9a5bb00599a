"""What the judge says of a reply: the classes, and the sentence, which names the place."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from engine.judging.verdict import Verdict
from engine.records import Arm
from tui.jobs import JobState, Mark
from tui.text import one_line


class VerdictLine(Static):
    """Stands under the text of a reply."""

    ALLOW_SELECT = False

    def __init__(self, arm: Arm) -> None:
        super().__init__(markup=False)
        self.arm: Arm = arm
        self._content = Content("")

    def show(self, job: JobState | None, over: bool) -> None:
        """Draw what is known of this arm's reply of a job."""
        content = self._words(job, over)
        if content != self._content:
            self._content = content
            self.update(content)

    def _words(self, job: JobState | None, over: bool) -> Content:
        if job is None:
            return Content("")
        mark = job.mark(self.arm)
        if mark is Mark.BREAKING and not over:
            words = one_line(job.broke[self.arm].sentence)
            return Content.assemble((f"{mark.value} broke", "bold $text-error"), "  ", words)
        if mark.pending:
            words = "-- not run" if over else f"{mark.value} {'running' if mark is Mark.RUNNING else 'waiting'}"
            return Content.styled(words, "$text-muted")
        if mark is Mark.CANCELLED:
            return Content.styled(f"{mark.value} cancelled: this job has no verdict and counts nowhere", "$text-muted")
        reply = job.reply(self.arm)
        assert reply is not None
        if reply.verdict is None:
            return Content.assemble(("xx error", "bold $text-warning"), "  ", one_line(reply.error or "no reply"))
        return _verdict(reply.verdict)


def _verdict(verdict: Verdict) -> Content:
    if verdict.ok:
        return Content.assemble(("ok", "bold $text-success"), "  ", one_line(verdict.message))
    classes = f"!! {', '.join(verdict.classes)}"
    return Content.assemble((classes, "bold $text-error"), "  ", one_line(verdict.message))
