"""Which cases a search chooses by, and which it keeps back for the winner's honest figure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

LEAST_HELD_OUT = 8
LEAST_CHOOSING = 4


def shuffled(names: Iterable[str], seed: int) -> list[str]:
    """The names in an order that hangs on the seed and on them alone, the same on every machine and version."""
    return sorted(names, key=lambda name: (hashlib.sha256(f"{seed}/{name}".encode()).digest(), name))


def split(cases: Iterable[str], seed: int) -> tuple[list[str], list[str]]:
    """The case ids to choose by and those held out, half each, but at least 8 held out; both in shuffled order.

    Raises ValueError where fewer than 4 are left to choose by.
    """
    order = shuffled(cases, seed)
    held_out = max(LEAST_HELD_OUT, len(order) // 2)
    if len(order) - held_out < LEAST_CHOOSING:
        raise ValueError(f"{len(order)} cases are too few to choose by some and keep {LEAST_HELD_OUT} back")
    return order[held_out:], order[:held_out]
