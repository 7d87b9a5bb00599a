"""The values of replies next to what was expected, field by field, under the rules that the judge compares by.

This agrees with the verdict: `values` is true for a reply exactly if none of its fields differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from engine.judging.compare import EVERYTHING_COUNTS, Cursor
from engine.judging.unwrap import read
from engine.judging.values import NOTHING, differences, unpaired_items
from engine.judging.wording import ValuePath
from engine.judging.wrappers import blank_thoughts


class FieldStatus(Enum):
    """How a reply's value at a field compares with the expected one."""

    SAME = "same"
    DIFFERENT = "different"
    MISSING = "missing"
    EXTRA = "extra"
    IGNORED = "ignored"  # by the suite's rules
    NONE = "none"  # nothing is compared at this very place, but at the fields below it or above it

    @property
    def differs(self) -> bool:
        """Whether it makes the reply's values differ from the expected ones."""
        return self in (FieldStatus.DIFFERENT, FieldStatus.MISSING, FieldStatus.EXTRA)


@dataclass(frozen=True, slots=True)
class Cell:
    """One reply's value at a field."""

    value: Any
    """NOTHING where the reply has none."""
    status: FieldStatus


@dataclass(frozen=True, slots=True)
class Field:
    """A place in the value, with what was expected there and what each reply has."""

    path: ValuePath
    expected: Any
    """NOTHING where nothing was expected."""
    cells: tuple[Cell, ...]
    """One for each reply."""
    unordered: bool = False
    """Whether it is an item of an array whose order does not matter.

    SAME then means that the reply has the item at some index, and the cell's value is the expected one. Unexpected
    items come after the expected ones.
    """


@dataclass(frozen=True, slots=True)
class _Place:
    """A place that is still to be visited."""

    path: ValuePath
    expected: Any
    values: tuple[Any, ...]
    done: tuple[bool, ...]
    """For each reply, whether a field above already covers this place."""
    rules: Cursor


def value_of(text: str, finish: Literal["stop", "length"], think_close: str | None = None) -> Any:
    """The one value of a reply, as the judge finds it; NOTHING where there is not exactly one.

    think_close: the tag that ends the thinking, for a prompt that lets the model think first.
    """
    found = read(blank_thoughts(text, think_close) if think_close else text, finish).found
    return NOTHING if found is None else found.value


def fields(expected: Any, values: Sequence[Any], rules: Cursor = EVERYTHING_COUNTS) -> Iterator[Field]:
    """Every field of `expected` and then of the values, and how they compare. Not recursive: depth is unlimited.

    NOTHING as a value stands for a reply without a value: everything expected is missing.
    """
    todo = [iter([_Place((), expected, tuple(values), (False,) * len(values), rules)])]
    while todo:
        place = next(todo[-1], None)
        if place is None:
            todo.pop()
            continue
        opened = _opened(place)
        if not any(opened):
            if not all(place.done):
                yield _whole(place, opened)
            continue
        if any(not is_open and not done for is_open, done in zip(opened, place.done, strict=True)):
            yield _whole(place, opened)
        inner = _Place(place.path, place.expected, place.values, tuple(not each for each in opened), place.rules)
        if isinstance(place.expected, dict):
            todo.append(_members(inner))
        elif place.rules.rule.unordered:
            yield from _items_in_any_order(inner)
        else:
            todo.append(_items(inner))


def _opened(place: _Place) -> list[bool]:
    """For each value, whether its parts are compared instead of the value as a whole; empty containers have none."""
    expected, ignored = place.expected, place.rules.rule.ignored
    container = dict if isinstance(expected, dict) else list if isinstance(expected, list) else None
    if container is None or (ignored and not place.rules.has_rules_below):
        return [False] * len(place.values)
    pairs = list(zip(place.values, place.done, strict=True))
    has_parts = bool(expected) or any(value and isinstance(value, container) and not done for value, done in pairs)
    return [has_parts and not done and (ignored or isinstance(value, container)) for value, done in pairs]


def _whole(place: _Place, opened: Sequence[bool]) -> Field:
    """A field for the whole values at a place."""
    cells = []
    for value, is_open, done in zip(place.values, opened, place.done, strict=True):
        if done:
            cells.append(Cell(NOTHING, FieldStatus.NONE))
        else:
            cells.append(Cell(value, FieldStatus.NONE if is_open else _status(place.expected, value, place.rules)))
    return Field(place.path, place.expected, tuple(cells))


def _status(expected: Any, value: Any, rules: Cursor) -> FieldStatus:
    if rules.rule.ignored:
        return FieldStatus.NONE if value is NOTHING else FieldStatus.IGNORED
    if value is NOTHING:
        return FieldStatus.NONE if expected is NOTHING else FieldStatus.MISSING
    if expected is NOTHING:
        return FieldStatus.EXTRA
    return FieldStatus.SAME if next(differences(expected, value, rules), None) is None else FieldStatus.DIFFERENT


def _members(place: _Place) -> Iterator[_Place]:
    members = [value if isinstance(value, dict) else {} for value in place.values]
    for key in dict.fromkeys([*place.expected, *(key for each in members for key in each)]):
        found = tuple(each.get(key, NOTHING) for each in members)
        expected = place.expected.get(key, NOTHING)
        yield _Place((*place.path, key), expected, found, place.done, place.rules.step(key))


def _items(place: _Place) -> Iterator[_Place]:
    arrays = [value if isinstance(value, list) else [] for value in place.values]
    for index in range(max(len(place.expected), *map(len, arrays))):
        found = tuple(_item(each, index) for each in arrays)
        yield _Place((*place.path, index), _item(place.expected, index), found, place.done, place.rules.step(index))


def _item(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else NOTHING


def _items_in_any_order(place: _Place) -> Iterator[Field]:
    """The expected items, each with what a reply has instead if it lacks the item, then the reply's extra items."""
    columns = [
        [] if done else _in_any_order(place.expected, value, place.rules)
        for value, done in zip(place.values, place.done, strict=True)
    ]
    for index in range(max(map(len, columns))):
        cells = tuple(each[index] if index < len(each) else Cell(NOTHING, FieldStatus.NONE) for each in columns)
        yield Field((*place.path, index), _item(place.expected, index), cells, unordered=True)


def _in_any_order(expected: list[Any], got: list[Any], rules: Cursor) -> list[Cell]:
    missing, surplus = unpaired_items(expected, got, rules)
    instead = dict(zip(missing, surplus, strict=False))
    lacking = set(missing)
    cells = [
        Cell(got[instead[index]], FieldStatus.DIFFERENT)
        if index in instead
        else Cell(NOTHING, FieldStatus.MISSING)
        if index in lacking
        else Cell(item, FieldStatus.SAME)
        for index, item in enumerate(expected)
    ]
    return cells + [Cell(got[index], FieldStatus.EXTRA) for index in surplus[len(missing) :]]
