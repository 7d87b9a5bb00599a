"""Which cases a search chooses the winner by, and which it holds out for an unbiased estimate of the winner."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

LEAST_HELD_OUT = 8
LEAST_CHOOSING = 4


def shuffled(names: Iterable[str], seed: int) -> list[str]:
    """The names in an order that depends only on the seed and the names, the same on every machine and version."""
    return sorted(names, key=lambda name: (hashlib.sha256(f"{seed}/{name}".encode()).digest(), name))


def split(cases: Iterable[str], seed: int) -> tuple[list[str], list[str]]:
    """The ids of the cases to choose by and of those held out: half each, but at least 8 held out; in shuffled order.

    Raises ValueError where fewer than 4 are left to choose by.
    """
    order = shuffled(cases, seed)
    held_out = max(LEAST_HELD_OUT, len(order) // 2)
    if len(order) - held_out < LEAST_CHOOSING:
        raise ValueError(f"{len(order)} cases are too few to choose by some and hold out {LEAST_HELD_OUT}")
    return order[held_out:], order[:held_out]
