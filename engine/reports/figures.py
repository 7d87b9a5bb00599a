"""Figures as people read them. A share of nothing is given in words, never as a number."""

from __future__ import annotations

from engine.reports.document import Cell
from engine.statistics import Interval, Quartiles, Share, wilson_interval

_MANY = 1_000  # from here on a tenth of a percent is meaningful


def percent(part: float, n: int = 0) -> str:
    """A share of n as a percentage, with a decimal where n is large enough to carry one."""
    return f"{part:.1%}" if n >= _MANY else f"{part:.0%}"


def fine_percent(part: float) -> str:
    """A probability as a percentage, near its ends too: <0.1%, >99.9%."""
    if 0 < part < 0.001:
        return "<0.1%"
    if 0.999 < part < 1:
        return ">99.9%"
    return f"{part:.1%}"


def format_count(share: Share) -> str:
    """`12 of 40`."""
    return f"{share.k:,} of {share.n:,}"


def count_and_percent(share: Share, nothing: str) -> str:
    """`12 of 40 (30%)`, or `nothing` if n is 0."""
    return f"{format_count(share)} ({percent(share.k / share.n, share.n)})" if share.n else nothing


def share_cell(share: Share, nothing: str, design_effect: float = 1.0) -> Cell:
    """A share with its Wilson interval: `12/40, 30% (18–45%)`, or `nothing` if n is 0."""
    if not share.n:
        return Cell((nothing,))
    low, high = interval = wilson_interval(share, design_effect)
    ends = f"{percent(low, share.n).rstrip('%')}–{percent(high, share.n)}"
    words = f"{share.k:,}/{share.n:,}, {percent(share.k / share.n, share.n)} ({ends})"
    return Cell((words,), point=share.k / share.n, interval=interval)


def heat_cell(k: int, n: int, *, good: bool) -> Cell:
    """A count and its share of n, on a background shaded by the share. good: a large share is desirable."""
    if not n:
        return Cell(("no reply",))
    return Cell((f"{k:,} ({percent(k / n, n)})" if k else "0",), shade=k / n, good=good)


def points(difference: float) -> str:
    """A difference between shares in percentage points, signed: `+12.0`, `−3.5`, `0.0`."""
    words = f"{difference * 100:+.1f}"
    return "0.0" if words in ("+0.0", "-0.0") else words.replace("-", "−")


def format_difference(difference: float, interval: Interval) -> str:
    """`+12.0 points (−3.1 to +25.4)`."""
    return f"{points(difference)} points ({points(interval[0])} to {points(interval[1])})"


def format_p(p: float) -> str:
    """`p = 0.031`, `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}" if p < 0.1 else f"p = {p:.2f}"


def format_quartiles(quartiles: Quartiles | None, nothing: str, unit: str = "") -> str:
    """`15 (12 to 20)`: the median and the quartiles around it, or `nothing` if there are none."""
    if quartiles is None:
        return nothing
    low, median, high = (
        f"{number:.3g}" if number < 1000 else f"{number:,.0f}"
        for number in (quartiles.low, quartiles.median, quartiles.high)
    )
    return f"{median}{unit} ({low} to {high}{unit})"
