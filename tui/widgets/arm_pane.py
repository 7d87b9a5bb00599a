"""One arm of the selected job: a title, its text with what was marked in it, and the verdict under it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from engine.records import Arm, Reply
from tui.jobs import JobState, Mark
from tui.text import visible
from tui.widgets.stream_view import StreamView
from tui.widgets.text_view import BREAK_GLYPH, FORK_GLYPH, Marker, Span
from tui.widgets.verdict_line import VerdictLine

_FINISH = {"stop": "stopped by itself", "length": "cut off at the token limit", "error": "not decoded"}


class ArmPane(Vertical):
    """FREE or CONSTRAINED."""

    ALLOW_MAXIMIZE = True

    def __init__(self, arm: Arm, *, id: str) -> None:
        super().__init__(id=id, classes="pane")
        self.arm: Arm = arm
        self._job: JobState | None = None
        self._starts = 0
        self._shown = 0  # how much of the job's text is in the view
        self._final = False

    def compose(self) -> ComposeResult:
        """The text above, the verdict below."""
        yield StreamView()
        yield VerdictLine(self.arm)

    def show(self, job: JobState | None, over: bool, unavailable: str | None) -> None:
        """Draw a job as far as it has come. `unavailable`: why this arm does not exist in this run."""
        view = self.query_one(StreamView)
        text = (unavailable or "") if job is None or not job.text(self.arm) else job.text(self.arm)
        final = job is not None and job.finished
        starts = job.starts if job else 0
        if job is not self._job or starts != self._starts:
            view.stream(False)
            view.show("")
            view.scroll_to(y=0, animate=False)
            self._job, self._starts, self._shown, self._final = job, starts, 0, False
        if final and not self._final:
            self._show_final(view, job, text)
        elif not final and len(text) != self._shown:
            view.append(text[self._shown :])
            self._shown = len(text)
        if job is not None and not final:
            view.stream(job.mark(self.arm) in (Mark.RUNNING, Mark.BREAKING) and not over)
            view.decorate(*_decoration(job, self.arm))
        self.query_one(VerdictLine).show(job, over)
        self._show_title(job, view.below)

    def _show_final(self, view: StreamView, job: JobState | None, text: str) -> None:
        assert job is not None
        self._final, self._shown = True, len(text)
        view.stream(False)
        reply = job.reply(self.arm)
        assert reply is not None
        if reply.verdict is None:
            view.show(text or reply.error or "")
            return
        view.show(text, *_decoration(job, self.arm))
        if reply.verdict.where is not None:
            view.scroll_to_offset(reply.verdict.where.start)

    @property
    def below(self) -> int:
        """How many lines of the text are below the window."""
        return self.query_one(StreamView).below

    def _show_title(self, job: JobState | None, below: int) -> None:
        parts = [self.arm.upper()]
        if job is not None and job.started:
            parts.append(f"{job.tokens(self.arm)} tokens")
            reply = job.reply(self.arm)
            if reply is not None:
                parts += [f"{reply.seconds:.1f} s", _FINISH[reply.finish]]
        if below:
            parts.append(f"+{below} lines below")
        title = Content("  ".join(parts))
        if title != self.border_title:
            self.border_title = title


def _decoration(job: JobState, arm: Arm) -> tuple[list[Span], list[Marker]]:
    """What is marked in the text: the part both arms share, the fork, and the break."""
    spans: list[Span] = []
    markers: list[Marker] = []
    if job.fork is not None:
        spans.append(Span(0, job.fork.char, "text--shared"))
        markers.append(Marker(job.fork.char, FORK_GLYPH, "text--fork"))
    reply, broke = job.reply(arm), job.broke.get(arm)
    if reply is not None:
        _mark_break(reply, spans, markers)
    elif broke is not None:
        spans.append(Span(broke.start, broke.end, "text--mark"))
    return spans, markers


def _mark_break(reply: Reply, spans: list[Span], markers: list[Marker]) -> None:
    where = reply.verdict.where if reply.verdict else None
    if where is None:
        return
    if where.start < where.end:
        spans.append(Span(where.start, where.end, "text--mark"))
    else:
        markers.append(Marker(min(where.start, len(visible(reply.text))), BREAK_GLYPH, "text--mark"))
