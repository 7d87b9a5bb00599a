"""Where the two arms of a job part, and why."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from engine.records import UNKNOWN_ID, Candidate, Fork
from tui.pages.tokens import quoted
from tui.state.job import JobState, Mark
from tui.widgets.views.text_view import FORK_GLYPH

TOKEN_CELLS = 12


class ForkLine(Static):
    """A sentence on one line if it fits, else on two. The token view has all details."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._content = Content("")

    def show(self, job: JobState | None, constrained: bool, narrow: bool) -> None:
        """Draw the fork of a job, on two lines if `narrow`. constrained: whether the run has that arm at all."""
        self._draw(_describe(job, constrained, narrow))

    def show_difference(self, at: int | None) -> None:
        """Draw where two replies of different runs part. at: None if they are the same."""
        place = "both replies are the same" if at is None else f"{FORK_GLYPH} the replies part at character {at}"
        self._draw(Content.styled(place, "$text-muted" if at is None else "bold"))

    def clear(self) -> None:
        """Draw nothing."""
        self._draw(Content(""))

    def _draw(self, words: Content) -> None:
        if words != self._content:
            self._content = words
            self.update(words)


def _describe(job: JobState | None, constrained: bool, narrow: bool) -> Content:
    if job is None or not job.started:
        return Content("")
    if not constrained or job.mark("constrained") is Mark.ERROR:
        return Content.styled("no fork: there is no constrained arm", "$text-muted")
    if job.mark("free") is Mark.ERROR:
        return Content.styled("no fork: there is no free reply", "$text-muted")
    if job.fork is not None:
        return describe_fork(job.fork, narrow)
    if job.cancelled:
        return Content("")
    if not job.finished:
        return Content.styled("no fork so far: the grammar allows what the model wants", "$text-muted")
    return Content.styled("no fork: the free reply is the constrained one, token for token", "$text-muted")


def describe_fork(fork: Fork, narrow: bool) -> Content:
    """Which token the model wanted at the fork and which the grammar allowed, with their probabilities."""
    if fork.token is None:
        return Content.assemble(
            (f"{FORK_GLYPH} fork at character {fork.char}: ", "bold"), "the server does not report tokens"
        )
    mass = "not reported by the server" if fork.allowed_mass is None else f"{format_percent(fork.allowed_mass)} in all"
    return Content.assemble(
        (f"{FORK_GLYPH} fork at token {fork.token}: ", "bold"),
        "wanted ",
        *_candidate(fork.wanted),
        "\n  " if narrow else ", ",
        "grammar allowed ",
        *_candidate(fork.allowed),
        f" (allowed {mass})",
    )


def _candidate(candidates: tuple[Candidate, ...]) -> tuple[str | tuple[str, str], ...]:
    if not candidates:
        return ("nothing",)
    first = candidates[0]
    ended = not first.token and first.id == UNKNOWN_ID and first.p is None
    token = "the end" if ended else quoted(first.token, TOKEN_CELLS)
    return ((token, "bold"), "" if first.p is None else f" {format_percent(first.p)}")


def format_percent(p: float) -> str:
    """A probability as a percentage with one decimal; a small one is not rounded to 0."""
    if 0 < p < 0.001:
        return "<0.1%"
    return f"{100 * p:.1f}%"
