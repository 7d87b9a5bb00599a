"""The 95 % intervals on the screen. scipy takes a third of a second to load: a thread does it, nothing waits for it."""

from __future__ import annotations

import threading

from engine.runs.statistics import Interval, Paired, Share, newcombe_interval, wilson_interval

_loaded = threading.Event()


def load() -> None:
    """Load what the intervals take. For a thread."""
    import scipy.special  # noqa: F401

    _loaded.set()


def interval(share: Share, replies_as_one: float) -> Interval | None:
    """The interval of a share (see `wilson_interval`); None where n is 0, and until `load` has been called."""
    return wilson_interval(share, replies_as_one) if share.n and _loaded.is_set() else None


def difference_interval(paired: Paired) -> Interval | None:
    """The interval of the difference of paired shares (see `newcombe_interval`); None as above."""
    return newcombe_interval(paired) if paired.n and _loaded.is_set() else None


def interval_words(found: Interval | None) -> str:
    """In percent: `[9-24]`, nothing where there is none."""
    return f"[{found[0] * 100:.0f}-{found[1] * 100:.0f}]" if found is not None else ""
