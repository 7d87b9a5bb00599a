"""Is this the value that was expected? Deep equality as JSON has it, or as the rules of a suite loosen it by field.

As JSON has it: 1 is 1.0, true is not 1, the keys of an object have no order and the items of an array have one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from engine.judging.compare import EVERYTHING_COUNTS, Cursor, Rule, same_number
from engine.judging.unordered import folded, unmatched
from engine.judging.wording import Path


class _Nothing:
    """What stands where there is no value (null is a value)."""


NOTHING: Final = _Nothing()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two values part: `expected` or `got` is NOTHING where only the other one has something.

    unordered: it is an item of an array whose order does not count. `path` has the index that it has in `got`, or in
    `expected` where `got` is NOTHING.
    """

    path: Path
    expected: Any
    got: Any
    unordered: bool = False


@dataclass(frozen=True, slots=True)
class _Pair:
    path: Path
    expected: Any
    got: Any
    cursor: Cursor


def differences(expected: Any, got: Any, rules: Cursor = EVERYTHING_COUNTS) -> Iterator[Difference]:
    """Where `got` is not `expected`, in the order of `expected`. Not recursive: any depth will do.

    Linear in the size of `got`. Only items that are containers with a tolerance inside, in an array without order,
    take the square of their number.
    """
    todo = [iter([_Pair((), expected, got, rules)])]
    while todo:
        pair = next(todo[-1], None)
        if pair is None:
            todo.pop()
        elif pair.cursor.rule.ignored:
            todo.append(_judged_inside(pair))
        elif isinstance(pair.expected, dict) and isinstance(pair.got, dict):
            todo.append(_members(pair, pair.got))
        elif isinstance(pair.expected, list) and isinstance(pair.got, list):
            if pair.cursor.rule.unordered:
                yield from _unmatched_items(pair)
            else:
                todo.append(_items(pair, pair.got))
        elif not _same(pair.expected, pair.got, pair.cursor.rule):
            yield Difference(pair.path, pair.expected, pair.got)


def _judged_inside(pair: _Pair) -> Iterator[_Pair]:
    """What counts all the same in a value that does not: the parts that have rules of their own."""
    if not pair.cursor.has_rules_below:
        return iter(())
    if isinstance(pair.expected, dict):
        return _members(pair, pair.got if isinstance(pair.got, dict) else {})
    if isinstance(pair.expected, list):
        return _items(pair, pair.got if isinstance(pair.got, list) else [])
    return iter(())


def _members(pair: _Pair, got: dict[str, Any]) -> Iterator[_Pair]:
    for key, value in pair.expected.items():
        yield _Pair((*pair.path, key), value, got.get(key, NOTHING), pair.cursor.step(key))
    for key, value in got.items():
        if key not in pair.expected:
            yield _Pair((*pair.path, key), NOTHING, value, pair.cursor.step(key))


def _items(pair: _Pair, items: list[Any]) -> Iterator[_Pair]:
    for index in range(max(len(pair.expected), len(items))):
        expected = pair.expected[index] if index < len(pair.expected) else NOTHING
        got = items[index] if index < len(items) else NOTHING
        yield _Pair((*pair.path, index), expected, got, pair.cursor.step(index))


def unpaired_items(expected: list[Any], got: list[Any], rules: Cursor) -> tuple[list[int], list[int]]:
    """Of two arrays without order, the indices of what only `expected` has and of what only `got` has."""
    below = rules.below_items()

    def same(one: Any, other: Any) -> bool:
        return next(differences(one, other, below), None) is None

    return unmatched(expected, got, below, same)


def _unmatched_items(pair: _Pair) -> Iterator[Difference]:
    """What is left of two arrays without order, the missing beside the surplus while there are both."""
    missing, surplus = unpaired_items(pair.expected, pair.got, pair.cursor)
    for number in range(max(len(missing), len(surplus))):
        lacking = pair.expected[missing[number]] if number < len(missing) else NOTHING
        if number < len(surplus):
            at = surplus[number]
            yield Difference((*pair.path, at), lacking, pair.got[at], unordered=True)
        else:
            yield Difference((*pair.path, missing[number]), lacking, NOTHING, unordered=True)


def _same(one: Any, two: Any, rule: Rule) -> bool:
    """Whether two values are equal that are not both objects or both arrays. Python holds True == 1; JSON does not."""
    if isinstance(one, bool) or isinstance(two, bool):
        return one is two
    if isinstance(one, str) and isinstance(two, str):
        return one == two or folded(one, rule) == folded(two, rule)
    if rule.tolerance is not None and isinstance(one, int | float) and isinstance(two, int | float):
        return same_number(one, two, rule.tolerance)
    return bool(one == two)
