"""The statistics of the findings: shares with intervals, and two paired outcomes compared. No word of runs here."""

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
        """Count one more, or so many."""
        self.k += times if held else 0
        self.n += times


def design_effect(sizes: Iterable[int]) -> float:
    """How many replies count as one, when replies to one case are taken to say the same: 1.0 for one reply a case.

    sizes: how many replies each case has. Real replies differ, so what is computed with this is rather too wide.
    Source: Kish, "Survey Sampling" (1965), the design effect of clusters, at an intraclass correlation of 1.
    """
    total = squares = 0
    for size in sizes:
        total, squares = total + size, squares + size * size
    return squares / total if total else 1.0


@dataclass(slots=True)
class Clusters:
    """How many replies each case has, counted one by one: `alike` of them without going over all cases again."""

    sizes: Counter[str] = field(default_factory=Counter)
    replies: int = 0
    squares: int = 0

    def add(self, *cases: str) -> None:
        """One more reply to each of the cases."""
        for case in cases:
            self.squares += 2 * self.sizes[case] + 1
            self.sizes[case] += 1
        self.replies += len(cases)

    @property
    def design_effect(self) -> float:
        """How many replies count as one (see the function of this name)."""
        return self.squares / self.replies if self.replies else 1.0


def wilson_interval(share: Share, replies_as_one: float = 1.0) -> Interval:
    """The 95 % score interval of a proportion, of which so many observations count as one. n must not be 0.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927) 209-212.
    scipy's binomtest has it for whole numbers only, and gives the same.
    """
    from scipy.special import ndtri  # here, because the import takes a while

    z = float(ndtri((1 + _CONFIDENCE) / 2))
    n, p = share.n / replies_as_one, share.k / share.n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(middle - half, 0.0), min(middle + half, 1.0)


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

    first, second = paired.discordant_cases
    if first + second == 0:
        return None
    return float(binomtest(second, first + second, 0.5).pvalue)


def newcombe_interval(paired: Paired) -> Interval:
    """The 95 % interval of a difference between paired proportions, second minus first. n must not be 0.

    Source: Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
    data", Statistics in Medicine 17 (1998) 2635-2650, method 10: the squared distances to the ends of the two Wilson
    intervals, put together with the correlation of the outcomes, which is corrected for continuity. Where a case has
    several pairs all counts are divided by `alike`, as Rao and Scott do ("A simple method for the analysis of clustered
    binary data", Biometrics 48 (1992) 577-585).
    """
    as_one = design_effect(pairs for _, pairs in paired.clusters.values())
    first = _reach(paired.both + paired.only_first, paired.n, as_one)
    second = _reach(paired.both + paired.only_second, paired.n, as_one)
    phi = _corrected_correlation(*(count / as_one for count in paired.counts))
    low = _root(second[0], first[1], phi)
    high = _root(second[1], first[0], phi)
    return paired.difference - low, paired.difference + high


def _reach(k: int, n: int, as_one: float) -> tuple[float, float]:
    """How far the Wilson interval reaches below and above the share."""
    low, high = wilson_interval(Share(k, n), as_one)
    return k / n - low, high - k / n


def _root(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0))


def _corrected_correlation(both: float, only_first: float, only_second: float, neither: float) -> float:
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    if margins == 0:
        return 0.0
    product = both * neither - only_first * only_second
    n = both + only_first + only_second + neither
    return (max(product - n / 2, 0.0) if product > 0 else product) / math.sqrt(margins)


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
