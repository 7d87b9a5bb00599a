"""How far the run is and how the arms do: two lines, one for each arm, progress at their right end."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from engine.records import ARMS, Arm
from engine.runs.rates import ArmRates
from engine.runs.statistics import Share
from tui.state import RunState
from tui.work import Phase, Work

SHARES_FROM = 100  # columns: below that the counts stand without their percentages


class StatusLine(Static):
    """Drawn anew only when its words change."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._drawn = ""
        self._shown: tuple[RunState, float] | None = None

    def on_resize(self) -> None:
        """What stands at the right end moves with it."""
        if self._shown is not None:
            self.show(*self._shown)

    def show(self, state: RunState, elapsed: float) -> None:
        """Draw the state; `elapsed` is the time since the run was asked for, in seconds."""
        self._shown = (state, elapsed)
        width = self.size.width
        right = (progress_words(state), phase_words(state, elapsed))
        lines = [
            both_ends(rates_words(arm, state.rates[arm], width >= SHARES_FROM), words, width)
            for arm, words in zip(ARMS, right, strict=True)
        ]
        text = "\n".join(lines)
        if text != self._drawn:
            self._drawn = text
            self.update(Content(text))


def rates_words(arm: Arm, rates: ArmRates, shares: bool) -> str:
    """The counts of an arm, e.g. "free         strict 3/12   schema 3/12   right 2/12"."""
    cells = [("strict", rates.strict), ("schema", rates.schema), ("right", rates.right)]
    words = [f"{name} {_count(share, shares)}" for name, share in cells]
    return f"{arm:<11}  " + "  ".join(words)


def progress_words(state: RunState) -> str:
    """Jobs done of all, and tokens per second."""
    if not state.jobs:
        return ""
    words = f"{state.done}/{state.total} jobs"
    if state.progress is not None and not state.over:
        words += f"  {state.progress.tokens_per_second:.0f} tok/s"
    return words


def phase_words(work: Work, elapsed: float) -> str:
    """What the engine is doing, and for how long."""
    if work.seconds is not None:
        elapsed = work.seconds
    elif work.progress is not None:
        elapsed = work.progress.seconds
    word = "paused" if work.paused and work.phase is Phase.RUNNING else work.phase.value
    return f"{word}  {clock(elapsed)}"


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _count(share: Share, percent: bool) -> str:
    count = f"{share.k}/{share.n}".rjust(5)
    if not percent:
        return count
    return f"{count} {f'{share.k / share.n:.0%}' if share.n else '-':>4}"


def both_ends(left: str, right: str, width: int) -> str:
    """A line with words at either end."""
    gap = width - cell_len(left) - cell_len(right)
    return left + " " * max(2, gap) + right
