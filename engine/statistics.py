"""The statistics behind the findings: proportions with intervals, and paired comparisons. Knows nothing of runs.

Replies to one case resemble one another, so the case, not the reply, is the unit of evidence. Intervals therefore
divide the number of replies by a design effect, and tests count each case once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Interval: TypeAlias = tuple[float, float]
"""The lower and the upper end of a 95 % interval."""

_CONFIDENCE = 0.95


@dataclass(slots=True)
class Share:
    """k of n."""

    k: int = 0
    n: int = 0

    def add(self, held: bool, times: int = 1) -> None:
        """Count one more observation, or `times` more."""
        self.k += times if held else 0
        self.n += times


def design_effect(sizes: Iterable[int]) -> float:
    """By how much clustering inflates the variance, with `sizes` replies per case: 1.0 for one reply per case.

    Source: Kish, "Survey Sampling" (1965), the design effect of clusters, at an intraclass correlation of 1, that is,
    as if all replies to a case were the same. Real replies differ, so intervals computed with it are conservative.
    """
    total = squares = 0
    for size in sizes:  # one pass over an iterator: sum(m²)/sum(m), the mean cluster size weighted by replies
        total, squares = total + size, squares + size * size
    return squares / total if total else 1.0


@dataclass(slots=True)
class Clusters:
    """Counts replies as they come, so that their design effect needs no pass over all cases."""

    sizes: Counter[str] = field(default_factory=Counter)
    """How many replies each case has."""
    replies: int = 0
    squares: int = 0
    """The sum of the squares of `sizes`."""

    def add(self, *cases: str) -> None:
        """One more reply to each of the cases."""
        for case in cases:
            self.squares += 2 * self.sizes[case] + 1  # (size + 1)² - size²
            self.sizes[case] += 1
        self.replies += len(cases)

    @property
    def design_effect(self) -> float:
        """See the function of this name."""
        return self.squares / self.replies if self.replies else 1.0


def wilson_interval(share: Share, design_effect: float = 1.0) -> Interval:
    """The 95 % score interval of a proportion, for an effective sample size of n / design_effect. n must not be 0.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927) 209-212.
    scipy's binomtest has it for whole numbers only, and gives the same.
    """
    from scipy.special import ndtri  # imported late: scipy is slow to import

    z = float(ndtri((1 + _CONFIDENCE) / 2))
    n, p = share.n / design_effect, share.k / share.n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(middle - half, 0.0), min(middle + half, 1.0)


@dataclass(slots=True)
class Paired:
    """A paired comparison of two yes-or-no outcomes: how often both held, only one of them, neither."""

    both: int = 0
    only_first: int = 0
    only_second: int = 0
    neither: int = 0
    clusters: dict[str, tuple[int, int]] = field(default_factory=dict)
    """For each case, (second minus first, number of pairs).

    Pairs of one case (its repeats and variations under one prompt) resemble one another, so the case counts once.
    """

    def add(self, first: bool, second: bool, cluster: str) -> None:
        """Count one more pair, which belongs to a cluster (a case)."""
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
        return sum(self.counts)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Both, only the first, only the second, neither."""
        return self.both, self.only_first, self.only_second, self.neither

    @property
    def difference(self) -> float:
        """The share of the second minus the share of the first. n must not be 0."""
        return (self.only_second - self.only_first) / self.n

    @property
    def discordant_cases(self) -> tuple[int, int]:
        """In how many cases the first held more often, and in how many the second."""
        differences = [difference for difference, _ in self.clusters.values()]
        return sum(each < 0 for each in differences), sum(each > 0 for each in differences)


def mcnemar_exact(paired: Paired) -> float | None:
    """The two-sided p of McNemar's exact test, whose null hypothesis is that pairs differ either way equally often.

    None where no case differs: there is nothing to test. Where a case has several pairs only the sign of their sum
    counts, which is the sign test over cases; with one pair per case the two tests are the same.
    Source: McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12 (1947) 153-157; exact, by the binomial distribution with 1/2, from scipy.
    """
    from scipy.stats import binomtest

    first, second = paired.discordant_cases
    if first + second == 0:
        return None
    return float(binomtest(second, first + second, 0.5).pvalue)


def newcombe_interval(paired: Paired) -> Interval:
    """The 95 % interval of a difference between paired proportions, second minus first. n must not be 0.

    Source: Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
    data", Statistics in Medicine 17 (1998) 2635-2650, method 10: the squared distances to the ends of the two Wilson
    intervals, combined with the correlation of the outcomes, which is corrected for continuity. Where a case has
    several pairs all counts are divided by the design effect, as Rao and Scott do ("A simple method for the analysis of
    clustered binary data", Biometrics 48 (1992) 577-585).
    """
    effect = design_effect(pairs for _, pairs in paired.clusters.values())
    first = _wilson_margins(paired.both + paired.only_first, paired.n, effect)
    second = _wilson_margins(paired.both + paired.only_second, paired.n, effect)
    phi = _corrected_correlation(*(count / effect for count in paired.counts))
    # The difference is lowest where the second share is low and the first one high, and the other way round.
    low = _combined_margin(second[0], first[1], phi)
    high = _combined_margin(second[1], first[0], phi)
    return paired.difference - low, paired.difference + high


def _wilson_margins(k: int, n: int, effect: float) -> tuple[float, float]:
    """How far the Wilson interval extends below and above the share."""
    low, high = wilson_interval(Share(k, n), effect)
    return k / n - low, high - k / n


def _combined_margin(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0))  # rounding may take it below 0


def _corrected_correlation(both: float, only_first: float, only_second: float, neither: float) -> float:
    """The phi coefficient; a positive one is corrected for continuity, which only widens the interval."""
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    if margins == 0:  # an outcome that always or never holds correlates with nothing
        return 0.0
    product = both * neither - only_first * only_second
    n = both + only_first + only_second + neither
    return (max(product - n / 2, 0.0) if product > 0 else product) / math.sqrt(margins)


@dataclass(frozen=True, slots=True)
class Quartiles:
    """The quartiles of n numbers, linearly interpolated."""

    n: int
    low: float
    median: float
    high: float


def quartiles(numbers: Sequence[float]) -> Quartiles | None:
    """None when there are none. Source: Hyndman and Fan, "Sample quantiles" (1996), definition 7, numpy's default."""
    if not numbers:
        return None
    import numpy as np

    low, median, high = np.quantile(np.asarray(numbers), [0.25, 0.5, 0.75])
    return Quartiles(len(numbers), float(low), float(median), float(high))
