"""Random draws that are the same on every machine and under every version of Python."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random
from typing import TypeVar

_T = TypeVar("_T")


class Draws:
    """Draws that follow from `parts` alone.

    Of Python's generator only `Random(int).random()` is promised to give the same numbers in every version, so that is
    all that is used of it; `hash()` of a text differs from process to process.
    """

    def __init__(self, *parts: object) -> None:
        digest = hashlib.sha256("/".join(map(str, parts)).encode("utf-8", "surrogatepass")).digest()
        self._random = Random(int.from_bytes(digest[:8])).random

    def below(self, end: int) -> int:
        """A whole number from 0 up to, not including, `end`."""
        return int(self._random() * end)

    def chance(self, share: float) -> bool:
        """Whether something happens that happens in this share of cases."""
        return self._random() < share

    def pick(self, items: Sequence[_T]) -> _T:
        """One of the items."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[_T]) -> list[_T]:
        """The items in another order, or by chance the same."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(len(left))]

    def some(self, items: Sequence[_T], number: int) -> list[_T]:
        """At most `number` of the items, in their own order."""
        chosen = sorted(self.shuffled(range(len(items)))[:number])
        return [items[index] for index in chosen]
