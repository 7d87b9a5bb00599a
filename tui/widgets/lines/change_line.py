"""The change from the baseline to the candidate: how many jobs, and whether it is more than chance."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from engine.comparing.outcomes import conclusion
from engine.records import Arm
from engine.reports.figures import format_difference, format_p
from engine.statistics import Paired, Share, design_effect, mcnemar_exact, newcombe_interval
from tui.state.comparison import ArmComparison
from tui.state.intervals import format_interval, interval

_PADDING = 2  # cells


class ChangeLine(Static):
    """Two lines, or three on a narrow screen. The second needs scipy and is drawn once all has been read."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._drawn: tuple[object, ...] = ()

    def show(self, arm: Arm, comparison: ArmComparison, ready: bool) -> None:
        """Draw the comparison of an arm. ready: all has been read, and scipy is loaded."""
        width = self.screen.size.width - _PADDING
        now = (arm, comparison.state.revision, ready, width)
        if now != self._drawn:
            self._drawn = now
            shares = format_shares(comparison.change, width) if ready else ""
            self.update(Content(f"{arm} arm: {format_changes(comparison)}\n{shares}"))


def format_changes(comparison: ArmComparison) -> str:
    """`20 fixed, 5 regressed, 75 unchanged, 2 not decoded`."""
    change = comparison.change
    words = f"{change.only_second} fixed, {change.only_first} regressed, {change.both + change.neither} unchanged"
    return words + (f", {comparison.undecoded} not decoded" if comparison.undecoded else "")


def format_shares(change: Paired, width: int) -> str:
    """`ok 40/100 [31-50], then 55/100 [45-64]: +15.0 points (+3.1 to +25.4), p = 0.031`, or on two lines."""
    if not change.n:
        return "no reply was decoded in both runs"
    effect = design_effect(pairs for _, pairs in change.clusters.values())
    first, second = (_share(change.both + only, change.n, effect) for only in (change.only_first, change.only_second))
    shares, difference = f"ok {first}, then {second}:", _format_difference(change)
    return f"{shares}{' ' if cell_len(shares) + 1 + cell_len(difference) <= width else chr(10)}{difference}"


def _format_difference(change: Paired) -> str:
    interval, p = newcombe_interval(change), mcnemar_exact(change)
    words, verdict = format_difference(change.difference, interval), conclusion(interval, p)
    return f"{words}, {verdict if p is None or verdict == 'no difference shown' else format_p(p)}"


def _share(k: int, n: int, effect: float) -> str:
    return f"{k}/{n} {format_interval(interval(Share(k, n), effect))}"
