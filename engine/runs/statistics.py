"""The statistics of the findings: shares with intervals, and two paired outcomes compared. No word of runs here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Interval: TypeAlias = tuple[float, float]
"""The lower and the upper end of a 95 % interval."""

_RESAMPLES = 9_999
_SEED = 20_261_122  # any number will do; a fixed one makes a report the same whenever it is made


@dataclass(slots=True)
class Share:
    """k of n."""

    k: int = 0
    n: int = 0

    def add(self, held: bool) -> None:
        """Count one more."""
        self.k += held
        self.n += 1


def wilson_interval(share: Share) -> Interval:
    """The 95 % score interval of a proportion, from scipy. n must not be 0.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927) 209-212.
    """
    from scipy.stats import binomtest  # here, because the import takes most of a second

    interval = binomtest(share.k, share.n).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


@dataclass(slots=True)
class Paired:
    """Two yes-or-no outcomes of the same things, counted: how often both held, only one of them, neither.

    clusters: for each case, (second minus first, how many pairs). Pairs of one case (its repeats and variations under
    one prompt) resemble one another, so the case is what counts once.
    """

    both: int = 0
    only_first: int = 0
    only_second: int = 0
    neither: int = 0
    clusters: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, first: bool, second: bool, cluster: str) -> None:
        """Count one more pair, of a case."""
        match first, second:
            case True, True:
                self.both += 1
            case True, False:
                self.only_first += 1
            case False, True:
                self.only_second += 1
            case _:
                self.neither += 1
        difference, pairs = self.clusters.get(cluster, (0, 0))
        self.clusters[cluster] = difference + second - first, pairs + 1

    @property
    def n(self) -> int:
        """How many pairs."""
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def clustered(self) -> bool:
        """Whether some case has more than one pair."""
        return len(self.clusters) < self.n

    @property
    def difference(self) -> float:
        """The share of the second minus the share of the first. n must not be 0."""
        return (self.only_second - self.only_first) / self.n

    @property
    def moved(self) -> tuple[int, int]:
        """How many cases the first and the second held more often."""
        differences = [difference for difference, _ in self.clusters.values()]
        return sum(each < 0 for each in differences), sum(each > 0 for each in differences)


def mcnemar_exact(paired: Paired) -> float | None:
    """The two-sided p of McNemar's exact test: that the pairs which differ fall either way equally often.

    None where no case differs: there is nothing to test. Where a case has several pairs its sign counts once, which is
    the sign test over cases; with one pair a case the two are the same test.
    Source: McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12 (1947) 153-157; exact, by the binomial distribution with 1/2, from scipy.
    """
    from scipy.stats import binomtest

    first, second = paired.moved
    if first + second == 0:
        return None
    return float(binomtest(second, first + second, 0.5).pvalue)


def difference_interval(paired: Paired) -> Interval:
    """The 95 % interval of `paired.difference`: Newcombe's, or the bootstrap over cases where a case has several pairs.

    n must not be 0.
    """
    return bootstrap_interval(list(paired.clusters.values())) if paired.clustered else newcombe_interval(paired)


def newcombe_interval(paired: Paired) -> Interval:
    """The 95 % interval of a difference between paired proportions, second minus first.

    Source: Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
    data", Statistics in Medicine 17 (1998) 2635-2650, method 10: the squared distances to the ends of the two Wilson
    intervals, put together with the correlation of the outcomes, which is corrected for continuity.
    """
    first = _reach(paired.both + paired.only_first, paired.n)
    second = _reach(paired.both + paired.only_second, paired.n)
    phi = _corrected_correlation(paired)
    low = _root(second[0], first[1], phi)
    high = _root(second[1], first[0], phi)
    return paired.difference - low, paired.difference + high


def _reach(k: int, n: int) -> tuple[float, float]:
    """How far the Wilson interval reaches below and above the share."""
    low, high = wilson_interval(Share(k, n))
    return k / n - low, high - k / n


def _root(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0))


def _corrected_correlation(paired: Paired) -> float:
    a, b, c, d = paired.both, paired.only_first, paired.only_second, paired.neither
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    if margins == 0:
        return 0.0
    product = a * d - b * c
    corrected = max(product - paired.n / 2, 0.0) if product > 0 else float(product)
    return corrected / math.sqrt(margins)


def bootstrap_interval(clusters: Sequence[tuple[int, int]]) -> Interval:
    """The 95 % percentile interval of sum(difference) / sum(pairs), cases drawn with replacement, with a fixed seed.

    clusters: for each case its difference and its number of pairs.
    Source: Davison and Hinkley, "Bootstrap Methods and their Application" (1997), section 3.8: of grouped data the
    groups are drawn, whole.
    """
    import numpy as np

    kinds, counts = np.unique(np.asarray(clusters), axis=0, return_counts=True)  # how often each is drawn is enough
    drawn = np.random.default_rng(_SEED).multinomial(len(clusters), counts / len(clusters), size=_RESAMPLES)
    totals = drawn @ kinds
    low, high = np.quantile(totals[:, 0] / totals[:, 1], [0.025, 0.975])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Quartiles:
    """The first quartile, the median and the third of n numbers, between neighbours by straight lines."""

    n: int
    low: float
    median: float
    high: float


def quartiles(numbers: Sequence[float]) -> Quartiles | None:
    """None of no numbers. Source: Hyndman and Fan, "Sample quantiles" (1996), definition 7, numpy's default."""
    if not numbers:
        return None
    import numpy as np

    low, median, high = np.quantile(np.asarray(numbers), [0.25, 0.5, 0.75])
    return Quartiles(len(numbers), float(low), float(median), float(high))
