"""The values of replies beside what was expected, field by field, under the rules the judge compares by.

What is marked agrees with the verdict: `values` is true of a reply exactly where no field of its column differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from engine.judging.compare import EVERYTHING_COUNTS, Cursor
from engine.judging.unwrap import read
from engine.judging.values import NOTHING, differences, unpaired_items
from engine.judging.wording import Path
from engine.judging.wrappers import blank_thoughts


class Kind(Enum):
    """How what a reply has at a field compares with what was expected there."""

    SAME = "same"
    DIFFERENT = "different"
    MISSING = "missing"
    EXTRA = "extra"
    IGNORED = "ignored"  # the rules say that it does not count
    NONE = "none"  # nothing is compared at this very place: it is done at the fields below, or was done above

    @property
    def differs(self) -> bool:
        """Whether it makes the reply's values other than what was expected."""
        return self in (Kind.DIFFERENT, Kind.MISSING, Kind.EXTRA)


@dataclass(frozen=True, slots=True)
class Cell:
    """What one reply has at a field: its value, NOTHING where it has none."""

    value: Any
    kind: Kind


@dataclass(frozen=True, slots=True)
class Field:
    """A place in the value, what was expected there (NOTHING where nothing was), and what each reply has.

    unordered: an item of an array whose order does not count. A cell that is SAME says then that the reply has it at
    some place, and its value is the expected one. Items that nobody expected come after the expected ones.
    """

    path: Path
    expected: Any
    cells: tuple[Cell, ...]
    unordered: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """A place that is still to be looked at. done: of which replies a field above has said all there is to say."""

    path: Path
    expected: Any
    values: tuple[Any, ...]
    done: tuple[bool, ...]
    rules: Cursor


def value_of(text: str, finish: Literal["stop", "length"], think_close: str | None = None) -> Any:
    """The one value of a reply, found as the judge finds it; NOTHING where there is not exactly one.

    think_close: the tag that ends the thinking of a reply that thinks first.
    """
    found = read(blank_thoughts(text, think_close) if think_close else text, finish).found
    return NOTHING if found is None else found.value


def fields(expected: Any, values: Sequence[Any], rules: Cursor = EVERYTHING_COUNTS) -> Iterator[Field]:
    """Every field of `expected` and of the values, in that order, and how they compare. Any depth will do.

    A value that is NOTHING stands for a reply without one: all that was expected is missing.
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
        told = [not is_open and not done for is_open, done in zip(opened, place.done, strict=True)]
        if any(told):
            yield _whole(place, opened)
        inner = _Place(place.path, place.expected, place.values, tuple(not each for each in opened), place.rules)
        if isinstance(place.expected, dict):
            todo.append(_members(inner))
        elif place.rules.rule.unordered:
            yield from _items_in_any_order(inner)
        else:
            todo.append(_items(inner))


def _opened(place: _Place) -> list[bool]:
    """For each value, whether it is compared by its parts; of containers without any there are none."""
    expected, ignored = place.expected, place.rules.rule.ignored
    kind = dict if isinstance(expected, dict) else list if isinstance(expected, list) else None
    if kind is None or (ignored and not place.rules.has_rules_below):
        return [False] * len(place.values)
    pairs = list(zip(place.values, place.done, strict=True))
    has_parts = bool(expected) or any(value and isinstance(value, kind) and not done for value, done in pairs)
    return [has_parts and not done and (ignored or isinstance(value, kind)) for value, done in pairs]


def _whole(place: _Place, opened: Sequence[bool]) -> Field:
    """A field for the value at a place as it stands there."""
    cells = []
    for value, is_open, done in zip(place.values, opened, place.done, strict=True):
        if done:
            cells.append(Cell(NOTHING, Kind.NONE))
        else:
            cells.append(Cell(value, Kind.NONE if is_open else _kind(place.expected, value, place.rules)))
    return Field(place.path, place.expected, tuple(cells))


def _kind(expected: Any, value: Any, rules: Cursor) -> Kind:
    if rules.rule.ignored:
        return Kind.NONE if value is NOTHING else Kind.IGNORED
    if value is NOTHING:
        return Kind.NONE if expected is NOTHING else Kind.MISSING
    if expected is NOTHING:
        return Kind.EXTRA
    return Kind.SAME if next(differences(expected, value, rules), None) is None else Kind.DIFFERENT


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
    """The expected items, each with what a reply has in its place if it lacks it, then what it has too much."""
    columns = [
        [] if done else _in_any_order(place.expected, value, place.rules)
        for value, done in zip(place.values, place.done, strict=True)
    ]
    for index in range(max(map(len, columns))):
        cells = tuple(each[index] if index < len(each) else Cell(NOTHING, Kind.NONE) for each in columns)
        yield Field((*place.path, index), _item(place.expected, index), cells, unordered=True)


def _in_any_order(expected: list[Any], got: list[Any], rules: Cursor) -> list[Cell]:
    missing, surplus = unpaired_items(expected, got, rules)
    instead = dict(zip(missing, surplus, strict=False))
    lacking = set(missing)
    cells = [
        Cell(got[instead[index]], Kind.DIFFERENT)
        if index in instead
        else Cell(NOTHING, Kind.MISSING)
        if index in lacking
        else Cell(item, Kind.SAME)
        for index, item in enumerate(expected)
    ]
    return cells + [Cell(got[index], Kind.EXTRA) for index in surplus[len(missing) :]]
