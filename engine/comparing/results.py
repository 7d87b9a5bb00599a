"""What pairs add up to: the two shares, their difference with its interval and test, and the conclusion."""

from __future__ import annotations

from dataclasses import dataclass

from engine.comparing.outcomes import Conclusion, conclusion
from engine.statistics import Interval, Paired, Share, design_effect, mcnemar_exact, newcombe_interval


@dataclass(frozen=True, slots=True)
class Result:
    """One outcome in the baseline and in the run, over the pairs that have it in both.

    replies_as_one: what the intervals of the shares take, see `statistics.alike`. difference: run minus baseline, with
    its 95 % interval; None of no pairs. p: of McNemar's exact test; None where no case differs. better, worse: how many
    cases have the outcome more often in the run, in the baseline. fixed, regressed: how many pairs have it only in the
    run, only in the baseline.
    """

    baseline: Share
    run: Share
    replies_as_one: float
    difference: float | None
    interval: Interval | None
    p: float | None
    better: int
    worse: int
    fixed: int
    regressed: int

    @property
    def n(self) -> int:
        """How many pairs."""
        return self.run.n

    @property
    def conclusion(self) -> Conclusion:
        """What the difference shows."""
        return conclusion(self.interval, self.p)


def result_of(paired: Paired) -> Result:
    """paired: the baseline first, the run second."""
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
