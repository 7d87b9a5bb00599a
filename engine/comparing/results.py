"""The statistics of one outcome over pairs: both shares, their difference with interval and test, the conclusion."""

from __future__ import annotations

from dataclasses import dataclass

from engine.comparing.outcomes import Conclusion, conclusion
from engine.statistics import Interval, Paired, Share, design_effect, mcnemar_exact, newcombe_interval


@dataclass(frozen=True, slots=True)
class Result:
    """One outcome in the baseline and in the run, over the pairs for which it is defined in both."""

    baseline: Share
    run: Share
    design_effect: float
    """For the intervals of the shares."""
    difference: float | None
    """Run minus baseline; None if there are no pairs."""
    interval: Interval | None
    """The 95 % interval of the difference; None likewise."""
    p: float | None
    """Of McNemar's exact test; None if no case differs."""
    better: int
    """How many cases have the outcome more often in the run."""
    worse: int
    """How many cases have it more often in the baseline."""
    fixed: int
    """How many pairs have it only in the run."""
    regressed: int
    """How many pairs have it only in the baseline."""

    @property
    def n(self) -> int:
        """How many pairs."""
        return self.run.n

    @property
    def conclusion(self) -> Conclusion:
        """What the difference shows."""
        return conclusion(self.interval, self.p)


def result_of(paired: Paired) -> Result:
    """The statistics of pairs with the baseline first and the run second."""
    n, (worse, better) = paired.n, paired.discordant_cases
    return Result(
        Share(paired.both + paired.only_first, n),
        Share(paired.both + paired.only_second, n),
        design_effect(pairs for _, pairs in paired.clusters.values()),
        paired.difference if n else None,
        newcombe_interval(paired) if n else None,
        mcnemar_exact(paired),
        better,
        worse,
        paired.only_second,
        paired.only_first,
    )
