"""The two replies of the selected job, side by side if there is room, and the line that says where they part."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from typing_extensions import override

from engine.judging.verdict import Where
from engine.records import ARMS, Arm, Record
from tui.state.job import JobState, Mark
from tui.state.run import RunState
from tui.widgets.job.arm_pane import ArmPane
from tui.widgets.job.fork_line import ForkLine
from tui.widgets.job.values_view import ValuesView

TALL = 48  # lines: from here on the values have room below the replies, without taking any from the list


class Panes(Vertical):
    """Side by side both wrap alike, so that what they share is on the same rows; once finished they scroll together."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._fork_line = ForkLine(id="fork")
        self._panes = [ArmPane(arm, id=arm) for arm in ARMS]
        self._values = ValuesView(classes="view")
        self._values.can_focus = False  # to scroll it, open it in place of the panes
        self._ended: tuple[JobState | None, bool] = (None, False)
        self._difference: tuple[Record | None, int | None] = (None, None)  # of the last record, as it takes time

    @override
    def compose(self) -> ComposeResult:
        yield self._fork_line
        with Horizontal(id="panes"):
            yield from self._panes
        yield self._values

    def on_resize(self) -> None:
        """Keep both panes equally wide: an odd column would make one wider, so that its rows would wrap differently."""
        self.set_class(self.size.width % 2 == 0, "-even")
        self.set_class(self.screen.size.height >= TALL, "-tall")

    @property
    def pane(self) -> ArmPane:
        """The selected pane: the one with the focus, else the free one."""
        return next((pane for pane in self._panes if pane.has_focus_within), self._panes[0])

    @property
    def below(self) -> tuple[int, ...]:
        """How many lines are below the window of each pane."""
        return tuple(pane.below for pane in self._panes)

    def show_job(self, state: RunState, job: JobState | None) -> None:
        """Draw the state of a job."""
        reason = state.started.constrained_error if state.started else None
        compared = state.labels != ARMS
        parted = self._parted(job, compared)
        for pane, label in zip(self._panes, state.labels, strict=True):
            pane.show(job, label, state.over_for(job), reason if pane.arm == "constrained" else None, parted)
        self._show_fork(job, compared, reason is None, parted)
        if self.has_class("-tall"):
            self._values.show_job(state, job)
        self._show_break(job)

    def _parted(self, job: JobState | None, compared: bool) -> int | None:
        """The character at which the replies part: the fork, or in a comparison the first difference of the texts."""
        if job is None:
            return None
        if not compared:
            return job.fork.char if job.fork else None
        if self._difference[0] is not job.record:
            self._difference = (job.record, _first_difference(job))
        return self._difference[1]

    def _show_fork(self, job: JobState | None, compared: bool, constrained: bool, parted: int | None) -> None:
        line = self._fork_line
        if not compared:
            line.show(job, constrained, self.screen.has_class("-narrow"))
        elif job is None or job.record is None or any(job.mark(arm) is Mark.ERROR for arm in ARMS):
            line.clear()
        else:
            line.show_difference(parted)

    def _show_break(self, job: JobState | None) -> None:
        """Once a job is finished, scroll to where each reply breaks."""
        ended = (job, job is not None and job.record is not None)
        views = [pane.view for pane in self._panes]
        together = ended[1] and not self.screen.has_class("-narrow")
        for view, other in zip(views, reversed(views), strict=True):
            view.scroll_with(other if together else None)
        if ended == self._ended:
            return
        self._ended = ended
        if job is None or job.record is None:
            return
        breaks = [(view, where.start) for view, arm in zip(views, ARMS, strict=True) if (where := _where(job, arm))]
        for view, start in breaks[:1] if together else breaks:  # the other view follows
            view.scroll_to_offset(start)


def _where(job: JobState, arm: Arm) -> Where | None:
    reply = job.reply(arm)
    return reply.verdict.where if reply is not None and reply.verdict is not None else None


def _first_difference(job: JobState) -> int | None:
    """The first character at which the texts of two replies differ; None if they are the same."""
    one, other = (job.text(arm) for arm in ARMS)
    if one == other:
        return None
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))
