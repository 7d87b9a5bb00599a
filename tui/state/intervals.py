"""Shares and their 95 % intervals on the screen. scipy loads slowly: a thread does it, and no key waits for it."""

from __future__ import annotations

import math
import threading

from engine.statistics import Interval, Paired, Share, newcombe_interval, wilson_interval

_loaded = threading.Event()


def load() -> None:
    """Import what intervals need. Slow: call it from a thread."""
    import scipy.special  # noqa: F401

    _loaded.set()


def ready() -> bool:
    """Whether `load` has been called, so that intervals can be computed at once."""
    return _loaded.is_set()


def interval(share: Share, design_effect: float) -> Interval | None:
    """The interval of a share (see `wilson_interval`); None if n is 0, and until `load` has been called."""
    return wilson_interval(share, design_effect) if share.n and _loaded.is_set() else None


def difference_interval(paired: Paired) -> Interval | None:
    """The interval of the difference of paired shares (see `newcombe_interval`); None as above."""
    return newcombe_interval(paired) if paired.n and _loaded.is_set() else None


def format_interval(interval: Interval | None) -> str:
    """An interval in percent: `[9-24]`, empty for None. Rounded outwards, so that it is never too narrow."""
    if interval is None:
        return ""
    low, high = (round(end * 100, 6) for end in interval)  # 56.00000001 is no reason to say 57
    return f"[{math.floor(low)}-{math.ceil(high)}]"


def format_share(share: float) -> str:
    """A share in percent: `15%`; only none is `0%` and only all is `100%`."""
    return "<1%" if 0 < share < 0.005 else ">99%" if 0.995 <= share < 1 else f"{share:.0%}"
