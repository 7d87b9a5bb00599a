"""One arm of the selected job: a title, its text with marks, and the verdict below it."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical
from typing_extensions import override

from engine.records import Arm, Reply
from tui.state.job import JobState, Mark
from tui.text.page import Marker, Span
from tui.text.safe import visible
from tui.widgets.job.pane_title import PaneTitle
from tui.widgets.job.stream_view import StreamView
from tui.widgets.job.verdict_line import VerdictLine
from tui.widgets.views.text_view import BREAK_GLYPH, FORK_GLYPH

_FINISH = {"stop": "stopped by itself", "length": "cut off at the token limit", "error": "not decoded"}


class ArmPane(Vertical):
    """FREE or CONSTRAINED; in a comparison BASELINE or CANDIDATE."""

    ALLOW_MAXIMIZE = True

    def __init__(self, arm: Arm, *, id: str) -> None:
        super().__init__(id=id, classes="pane")
        self.arm: Arm = arm
        self.view = StreamView()  # shows the text
        self._title = PaneTitle()
        self._verdict = VerdictLine(arm)
        self._job: JobState | None = None
        self._label = ""
        self._starts = 0
        self._shown = 0  # how many characters of the job's text the view has
        self._final = False
        self._drawn: tuple[object, ...] = ()

    @override
    def compose(self) -> ComposeResult:
        yield self._title
        yield self.view
        yield self._verdict

    @property
    def below(self) -> int:
        """How many lines of the text are below the window."""
        return self.view.below

    def show(self, job: JobState | None, label: str, over: bool, unavailable: str | None, parted: int | None) -> None:
        """Draw the state of a job.

        label: what this reply is called. unavailable: why the run has no such arm. parted: the character at which the
        two replies part, None if they do not.
        """
        view = self.view
        text = (job.text(self.arm) if job else "") or unavailable or ""
        now = (*_stage(job, self.arm), label, over, unavailable, parted, len(text), view.below)
        if job is self._job and now == self._drawn:
            return
        self._drawn, self._label = now, label
        if job is not self._job or (job and job.starts != self._starts):
            view.stream(False)
            view.show("")
            view.scroll_to(y=0, animate=False)
            self._job, self._starts, self._shown, self._final = job, job.starts if job else 0, 0, False
        if job is not None and job.finished:
            self._show_final(job, text, parted)
        else:
            self._show_live(job, text, over, parted)
        self._verdict.show(job, over)
        self._show_title()

    def on_resize(self) -> None:
        """Fit the title to the new width."""
        self._show_title()

    def _show_live(self, job: JobState | None, text: str, over: bool, parted: int | None) -> None:
        view = self.view
        if len(text) != self._shown:
            view.append(text[self._shown :])
            self._shown = len(text)
        if job is not None:
            view.stream(job.mark(self.arm) in (Mark.RUNNING, Mark.BREAKING) and not over)
            view.decorate(*_decoration(job, self.arm, parted))

    def _show_final(self, job: JobState, text: str, parted: int | None) -> None:
        reply = job.reply(self.arm)
        if self._final or reply is None:
            return
        self._final = True
        self.view.stream(False)
        if reply.verdict is None:
            self.view.show(text or reply.error or "")
        else:
            self.view.show(text, *_decoration(job, self.arm, parted))

    def _show_title(self) -> None:
        job, parts = self._job, [self._label.upper()]
        if job is not None and job.started:
            reply = job.reply(self.arm)
            counted = reply is None or reply.tokens or not reply.text  # a server may not report tokens
            parts += [f"{job.tokens(self.arm)} tokens"] if counted else []
            if reply is not None:
                parts += [f"{reply.seconds:.1f} s", _FINISH[reply.finish]]
        below = [f"+{self.below} lines below"] if self.below else []
        width = self.size.width - 4
        while len(parts) > 1 and cell_len("  ".join([*parts, *below])) > width:
            parts.pop()  # a pane that has the whole screen shows all parts
        self._title.show("  ".join([*parts, *below]))


def _stage(job: JobState | None, arm: Arm) -> tuple[object, ...]:
    """What the drawing of a job depends on, apart from its text."""
    if job is None:
        return ()
    return job.starts, job.mark(arm), job.finished, job.record is None, job.fork is None, job.tokens(arm)


def _decoration(job: JobState, arm: Arm, parted: int | None) -> tuple[list[Span], list[Marker]]:
    """The marks in the text: the part that both arms share, the fork, and the break."""
    spans: list[Span] = []
    markers: list[Marker] = []
    if parted is not None:
        spans.append(Span(0, parted, "text--shared"))
        markers.append(Marker(parted, FORK_GLYPH, "text--fork"))
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
