"""Compares a value with the expected one: deep equality of JSON values, relaxed field by field by the suite's rules.

In JSON 1 equals 1.0, true does not equal 1, and order matters for the items of an array but not for object keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from engine.judging.compare import EVERYTHING_COUNTS, Cursor, Rule, same_number
from engine.judging.unordered import folded, unmatched
from engine.judging.wording import ValuePath


class _Nothing:
    """The absence of a value (null is a value)."""


NOTHING: Final = _Nothing()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two values differ."""

    path: ValuePath
    """For an item of an unordered array it ends in its index in `got`, or in `expected` where `got` is NOTHING."""
    expected: Any
    """NOTHING where only `got` has a value."""
    got: Any
    """NOTHING where only `expected` has a value."""
    unordered: bool = False
    """Whether it is an item of an array whose order does not matter."""


@dataclass(frozen=True, slots=True)
class _Pair:
    path: ValuePath
    expected: Any
    got: Any
    cursor: Cursor


def differences(expected: Any, got: Any, rules: Cursor = EVERYTHING_COUNTS) -> Iterator[Difference]:
    """The differences between `got` and `expected`, in the order of `expected`. Not recursive: depth is unlimited.

    Linear in the size of `got`, except for unordered arrays whose items are containers with a tolerance inside: these
    take time quadratic in the number of items.
    """
    todo = [iter([_Pair((), expected, got, rules)])]
    while todo:
        pair = next(todo[-1], None)
        if pair is None:
            todo.pop()
        elif pair.cursor.rule.ignored:
            todo.append(_compared_parts(pair))
        elif isinstance(pair.expected, dict) and isinstance(pair.got, dict):
            todo.append(_members(pair, pair.got))
        elif isinstance(pair.expected, list) and isinstance(pair.got, list):
            if pair.cursor.rule.unordered:
                yield from _unmatched_items(pair)
            else:
                todo.append(_items(pair, pair.got))
        elif not _same(pair.expected, pair.got, pair.cursor.rule):
            yield Difference(pair.path, pair.expected, pair.got)


def _compared_parts(pair: _Pair) -> Iterator[_Pair]:
    """The parts of an ignored value that are compared all the same, since they have rules of their own."""
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
    """For two unordered arrays, the indices of the items that only `expected` has and that only `got` has."""
    below = rules.below_items()

    def same(one: Any, other: Any) -> bool:
        return next(differences(one, other, below), None) is None

    return unmatched(expected, got, below, same)


def _unmatched_items(pair: _Pair) -> Iterator[Difference]:
    """The unmatched items of two unordered arrays; missing and surplus ones are paired while there are both."""
    missing, surplus = unpaired_items(pair.expected, pair.got, pair.cursor)
    for number in range(max(len(missing), len(surplus))):
        lacking = pair.expected[missing[number]] if number < len(missing) else NOTHING
        if number < len(surplus):
            at = surplus[number]
            yield Difference((*pair.path, at), lacking, pair.got[at], unordered=True)
        else:
            yield Difference((*pair.path, missing[number]), lacking, NOTHING, unordered=True)


def _same(one: Any, two: Any, rule: Rule) -> bool:
    """Equality of values that are not both objects or both arrays. True == 1 in Python, but not in JSON."""
    if isinstance(one, bool) or isinstance(two, bool):
        return one is two
    if isinstance(one, str) and isinstance(two, str):
        return one == two or folded(one, rule) == folded(two, rule)
    if rule.tolerance is not None and isinstance(one, int | float) and isinstance(two, int | float):
        return same_number(one, two, rule.tolerance)
    return bool(one == two)
