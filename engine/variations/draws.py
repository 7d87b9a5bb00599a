"""Random draws that are the same on every machine and under every version of Python."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random
from typing import TypeVar

_T = TypeVar("_T")


class Draws:
    """Draws that depend only on `parts`.

    Of Python's generator only `Random(int).random()` is documented to give the same numbers in every version, so
    nothing else of it is used. `hash()` of a text differs from process to process.
    """

    def __init__(self, *parts: object) -> None:
        digest = hashlib.sha256("/".join(map(str, parts)).encode("utf-8", "surrogatepass")).digest()
        self._random = Random(int.from_bytes(digest[:8])).random

    def below(self, end: int) -> int:
        """An integer from 0 up to, but not including, `end`."""
        return int(self._random() * end)

    def chance(self, share: float) -> bool:
        """True with this probability."""
        return self._random() < share

    def pick(self, items: Sequence[_T]) -> _T:
        """One of the items."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[_T]) -> list[_T]:
        """The items in random order."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(len(left))]

    def some(self, items: Sequence[_T], number: int) -> list[_T]:
        """At most `number` of the items, in their original order."""
        chosen = sorted(self.shuffled(range(len(items)))[:number])
        return [items[index] for index in chosen]
