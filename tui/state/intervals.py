"""Shares and their 95 % intervals on the screen. scipy takes a while to load: in a thread, and nothing waits for it."""

from __future__ import annotations

import math
import threading

from engine.statistics import Interval, Paired, Share, newcombe_interval, wilson_interval

_loaded = threading.Event()


def load() -> None:
    """Load what the intervals take. For a thread."""
    import scipy.special  # noqa: F401

    _loaded.set()


def ready() -> bool:
    """Whether `load` has been called, so that an interval takes no time."""
    return _loaded.is_set()


def interval(share: Share, replies_as_one: float) -> Interval | None:
    """The interval of a share (see `wilson_interval`); None where n is 0, and until `load` has been called."""
    return wilson_interval(share, replies_as_one) if share.n and _loaded.is_set() else None


def difference_interval(paired: Paired) -> Interval | None:
    """The interval of the difference of paired shares (see `newcombe_interval`); None as above."""
    return newcombe_interval(paired) if paired.n and _loaded.is_set() else None


def format_interval(found: Interval | None) -> str:
    """In percent: `[9-24]`, nothing where there is none. Rounded outwards, so that it is never too narrow."""
    if found is None:
        return ""
    low, high = (round(end * 100, 6) for end in found)  # 56.00000001 is no reason to say 57
    return f"[{math.floor(low)}-{math.ceil(high)}]"


def format_share(share: float) -> str:
    """In percent: `15%`; `0%` is none and `100%` is all."""
    return "<1%" if 0 < share < 0.005 else ">99%" if 0.995 <= share < 1 else f"{share:.0%}"
