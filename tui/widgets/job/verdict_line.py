"""The verdict on a reply: its classes, and the sentences with the places."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.widgets import Static
from typing_extensions import override

from engine.judging.verdict import Verdict
from engine.records import Arm
from tui.state.job import JobState, Mark
from tui.text.safe import one_line

_MORE = " … z: all"


class VerdictLine(Static):
    """Below the text of a reply. If it does not fit, it is cut and names the key that shows all of it."""

    ALLOW_SELECT = False

    def __init__(self, arm: Arm) -> None:
        super().__init__(markup=False)
        self.arm: Arm = arm
        self._words = Content("")

    def show(self, job: JobState | None, over: bool) -> None:
        """Draw the verdict on this arm's reply to a job."""
        words = _describe(job, self.arm, over)
        if words != self._words:
            self._words = words
            self.update(words)

    @override
    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._words.wrap(width)) if width > 0 else 0

    @override
    def render(self) -> Content:
        return cut(self._words, self.content_size.width, self.content_size.height)


def cut(words: Content, width: int, height: int) -> Content:
    """The words in `height` lines; if there are more, the end of the last says how to see them."""
    lines = words.wrap(width) if width > 0 else []
    if len(lines) <= height or height < 1:
        return words
    last = lines[height - 1].rstrip()
    last = last.truncate(min(last.cell_length, width - len(_MORE))) + Content.styled(_MORE, "$text-muted")
    return Content("\n").join([*lines[: height - 1], last])


def _describe(job: JobState | None, arm: Arm, over: bool) -> Content:
    if job is None:
        return Content("")
    mark = job.mark(arm)
    if mark is Mark.BREAKING and not over:
        return Content.assemble((f"{mark.value} broke", "bold $text-error"), "  ", one_line(job.broke[arm].sentence))
    if mark.pending:
        words = "-- not run" if over else f"{mark.value} {'running' if mark is Mark.RUNNING else 'waiting'}"
        return Content.styled(words, "$text-muted")
    if mark is Mark.CANCELLED:
        return Content.styled(f"{mark.value} cancelled: this job has no verdict and counts nowhere", "$text-muted")
    reply = job.reply(arm)
    if reply is None:
        return Content.styled("the record of this job cannot be read", "$text-warning")
    if reply.verdict is None:
        return Content.assemble(("xx error", "bold $text-warning"), "  ", one_line(reply.error or "no reply"))
    return _verdict(reply.verdict)


def _verdict(verdict: Verdict) -> Content:
    if verdict.ok:
        return Content.assemble(("ok", "bold $text-success"), "  ", one_line(verdict.message))
    sentences = [verdict.message, *(each.message for each in verdict.also)]
    return Content.assemble(
        (f"!! {', '.join(verdict.classes)}", "bold $text-error"), "  ", one_line("  also: ".join(sentences))
    )
