"""What the judge says of a reply: the classes, and the sentences, which name the places."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.widgets import Static

from engine.judging.verdict import Verdict
from engine.records import Arm
from tui.state.job import JobState, Mark
from tui.text.safe import one_line

_MORE = " … z: all"


class VerdictLine(Static):
    """Stands under the text of a reply. What does not fit is cut with the key that shows it."""

    ALLOW_SELECT = False

    def __init__(self, arm: Arm) -> None:
        super().__init__(markup=False)
        self.arm: Arm = arm
        self._words = Content("")

    def show(self, job: JobState | None, over: bool) -> None:
        """Draw what is known of this arm's reply of a job."""
        words = _words(job, self.arm, over)
        if words != self._words:
            self._words = words
            self.update(words)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """How many lines all of it takes."""
        return len(self._words.wrap(width)) if width > 0 else 0

    def render(self) -> Content:
        """As much as there is room for."""
        return cut(self._words, self.content_size.width, self.content_size.height)


def cut(words: Content, width: int, height: int) -> Content:
    """The words in so many lines; at the end of the last stands how to see the rest, if there is any."""
    lines = words.wrap(width) if width > 0 else []
    if len(lines) <= height or height < 1:
        return words
    last = lines[height - 1].rstrip()
    last = last.truncate(min(last.cell_length, width - len(_MORE))) + Content.styled(_MORE, "$text-muted")
    return Content("\n").join([*lines[: height - 1], last])


def _words(job: JobState | None, arm: Arm, over: bool) -> Content:
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
    said = [verdict.message, *(each.message for each in verdict.also)]
    return Content.assemble(
        (f"!! {', '.join(verdict.classes)}", "bold $text-error"), "  ", one_line("  also: ".join(said))
    )
