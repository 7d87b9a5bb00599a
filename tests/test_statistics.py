"""The statistics against figures that were published, and against what can be counted by hand."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from engine.statistics import Paired, Share, design_effect, mcnemar_exact, newcombe_interval, quartiles, wilson_interval


def paired(both: int, only_first: int, only_second: int, neither: int) -> Paired:
    """Pairs of as many cases."""
    counts = Paired()
    outcomes = {(True, True): both, (True, False): only_first, (False, True): only_second, (False, False): neither}
    for (first, second), times in outcomes.items():
        for _ in range(times):
            counts.add(first, second, f"case {counts.n}")
    return counts


@pytest.mark.parametrize(
    ("k", "n", "interval"),
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0.0000, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_wilson_has_the_published_figures(k: int, n: int, interval: tuple[float, float]) -> None:
    """Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3."""
    assert wilson_interval(Share(k, n)) == pytest.approx(interval, abs=5e-5)


@pytest.mark.parametrize(
    ("cells", "interval"),
    [
        ((36, 12, 2, 0), (0.0569, 0.3404)),
        ((20, 12, 2, 16), (0.0562, 0.3292)),
        ((36, 14, 0, 0), (0.1528, 0.4167)),
        ((18, 14, 0, 18), (0.1441, 0.3963)),
        ((2, 97, 1, 0), (0.8721, 0.9854)),
        ((0, 30, 0, 0), (0.8395, 1.0)),
        ((54, 0, 0, 0), (-0.0664, 0.0664)),
        ((27, 0, 0, 27), (-0.0351, 0.0351)),
    ],
)
def test_newcombe_has_the_published_figures(cells: tuple[int, int, int, int], interval: tuple[float, float]) -> None:
    """Newcombe, Statistics in Medicine 17 (1998) 2635-2650, table III, method 10: first minus second there."""
    low, high = newcombe_interval(paired(*cells))
    assert (-high, -low) == pytest.approx(interval, abs=1.1e-4)


@pytest.mark.parametrize(
    ("cells", "p"),
    [
        ((1, 1, 7, 12), 18 / 256),  # Fagerland et al., Statistics in Medicine 33 (2014) 2850: 0.0703 (Bentur's data)
        ((3, 0, 8, 4), 2 / 256),
        ((0, 5, 1, 0), 14 / 64),
        ((9, 6, 6, 9), 1.0),
    ],
)
def test_mcnemar_is_the_binomial_test_of_the_pairs_that_differ(cells: tuple[int, int, int, int], p: float) -> None:
    assert mcnemar_exact(paired(*cells)) == pytest.approx(p)


def test_without_a_pair_that_differs_nothing_is_tested() -> None:
    assert mcnemar_exact(paired(5, 0, 0, 5)) is None
    assert mcnemar_exact(Paired()) is None


def test_the_pairs_of_one_case_count_once() -> None:
    """Ten repeats of one case that was rescued each time are one piece of evidence, not ten."""
    repeated = Paired()
    for case, first in (("rescued", False), ("fine", True)):
        for _ in range(10):
            repeated.add(first, True, case)
    assert (repeated.only_second, repeated.difference) == (10, 0.5)
    assert repeated.discordant_cases == (0, 1)
    assert mcnemar_exact(repeated) == 1.0
    assert mcnemar_exact(paired(10, 0, 10, 0)) == pytest.approx(2 / 2**10), "what counting repeats as cases would claim"


def test_a_case_that_falls_both_ways_equally_often_has_no_sign() -> None:
    both_ways = Paired()
    both_ways.add(True, False, "one")
    both_ways.add(False, True, "one")
    assert mcnemar_exact(both_ways) is None


def test_pairs_that_say_the_same_do_not_narrow_the_interval() -> None:
    """Each case five times over is as sure as each case once, with the difference where it was."""
    once, five_times = paired(30, 2, 12, 6), Paired()
    outcomes = [(True, True)] * 30 + [(True, False)] * 2 + [(False, True)] * 12 + [(False, False)] * 6
    for _ in range(5):
        for case, (first, second) in enumerate(outcomes):
            five_times.add(first, second, str(case))
    assert five_times.n == 5 * once.n
    assert newcombe_interval(five_times) == pytest.approx(newcombe_interval(once))
    assert mcnemar_exact(five_times) == mcnemar_exact(once)
    assert wilson_interval(Share(60, 100), 5.0) == pytest.approx(wilson_interval(Share(12, 20)))


def test_how_many_replies_count_as_one() -> None:
    assert design_effect([1, 1, 1]) == 1.0
    assert design_effect([4, 4]) == 4.0
    assert design_effect([9, 1]) == pytest.approx(8.2), "a case with most of the replies has most of the say"
    assert design_effect([]) == 1.0


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 40), (40, 40), (24, 40), (513, 100_000)])
def test_wilson_is_scipys(k: int, n: int) -> None:
    interval = binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert wilson_interval(Share(k, n)) == pytest.approx((interval.low, interval.high), abs=1e-12)


def test_quartiles() -> None:
    found = quartiles([4.0, 1.0, 2.0, 3.0, 5.0])
    assert found is not None
    assert (found.n, found.low, found.median, found.high) == (5, 2.0, 3.0, 4.0)
    assert quartiles([]) is None
