"""Is this the value that was expected? Deep equality as JSON has it: 1 is 1.0, true is not 1, keys have no order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from engine.judging.wording import Path


class _Nothing:
    """What stands where there is no value (null is a value)."""


NOTHING: Final = _Nothing()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two values part: `expected` or `got` is NOTHING where only the other one has something."""

    path: Path
    expected: Any
    got: Any


def differences(expected: Any, got: Any) -> Iterator[Difference]:
    """Where `got` is not `expected`, in the order of `expected`. Not recursive: any depth will do."""
    todo = [iter([Difference((), expected, got)])]
    while todo:
        pair = next(todo[-1], None)
        if pair is None:
            todo.pop()
        elif isinstance(pair.expected, dict) and isinstance(pair.got, dict):
            todo.append(_members(pair))
        elif isinstance(pair.expected, list) and isinstance(pair.got, list):
            todo.append(_items(pair))
        elif not _same(pair.expected, pair.got):
            yield pair


def _members(pair: Difference) -> Iterator[Difference]:
    for key, value in pair.expected.items():
        yield Difference((*pair.path, key), value, pair.got.get(key, NOTHING))
    for key, value in pair.got.items():
        if key not in pair.expected:
            yield Difference((*pair.path, key), NOTHING, value)


def _items(pair: Difference) -> Iterator[Difference]:
    for index in range(max(len(pair.expected), len(pair.got))):
        expected = pair.expected[index] if index < len(pair.expected) else NOTHING
        got = pair.got[index] if index < len(pair.got) else NOTHING
        yield Difference((*pair.path, index), expected, got)


def _same(one: Any, two: Any) -> bool:
    """Whether two values are equal that are not both objects or both arrays. Python holds True == 1; JSON does not."""
    return isinstance(one, bool) == isinstance(two, bool) and bool(one == two)
