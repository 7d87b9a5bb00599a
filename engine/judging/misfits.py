"""Breaks in the value itself: duplicate keys, schema violations and wrong values, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.judging.breaks import Break
from engine.judging.shape import SchemaViolation
from engine.judging.spans import Place, Span, duplicate_key, locate
from engine.judging.unwrap import LocatedValue
from engine.judging.values import NOTHING, Difference
from engine.judging.verdict import FailureClass
from engine.judging.wording import ValuePath, describe_value, excerpt, pointer


def duplicate_key_breaks(text: str, found: LocatedValue) -> list[Break]:
    """The first duplicate key, if there is one."""
    twice = duplicate_key(text, found.start) if found.repeated else None
    if twice is None:
        return []
    span, path = twice
    sentence = f"The key {excerpt(text[span.start : span.end])} comes twice in one object: only the last one counts"
    return [Break("duplicate_key", span.start, span.end, sentence, pointer(path))]


@dataclass(frozen=True, slots=True)
class _Misfit:
    """Something wrong with the value at `path`, or with its key, before its place in the text is known."""

    failure: FailureClass
    path: ValuePath
    of_key: bool
    sentence: str


def value_breaks(
    text: str, found: LocatedValue, violations: Sequence[SchemaViolation], difference: Difference | None
) -> Iterator[Break]:
    """The first violation of each class, and the difference. The text is read once to find all their places."""
    firsts: dict[FailureClass, _Misfit] = {}
    for violation in violations:
        if violation.failure not in firsts:
            firsts[violation.failure] = _misfit(violation)
    if difference is not None:
        firsts["wrong_value"] = _wrong_value(difference)
    places = locate(text, found.start, {misfit.path for misfit in firsts.values()})
    whole = Place(Span(found.start, found.end), None)
    for misfit in firsts.values():
        place = places.get(misfit.path, whole)
        span = place.key if misfit.of_key and place.key is not None else place.value
        yield Break(misfit.failure, span.start, span.end, misfit.sentence, pointer(misfit.path))


def _misfit(violation: SchemaViolation) -> _Misfit:
    """For a missing key the object is marked, for an additional key the key, for anything else the value."""
    if violation.failure == "missing_key":
        return _Misfit(violation.failure, violation.path, False, violation.sentence)
    return _Misfit(violation.failure, violation.at, violation.key is not None, violation.sentence)


def _wrong_value(difference: Difference) -> _Misfit:
    """For a missing value its container is marked, for an additional one the key or the item."""
    path, expected, got = difference.path, difference.expected, difference.got
    if difference.unordered:
        return _wrong_item(difference)
    at = f" at {excerpt(pointer(path))}" if path else ""
    if got is NOTHING:
        path, sentence = path[:-1], f"Expected {describe_value(expected)}{at}, got nothing"
    elif expected is NOTHING:
        sentence = f"Got {describe_value(got)}{at}, where nothing was expected"
    else:
        sentence = f"Expected {describe_value(expected)}{at}, got {describe_value(got)}"
    return _Misfit("wrong_value", path, expected is NOTHING, sentence)


def _wrong_item(difference: Difference) -> _Misfit:
    """The same for an item of an array whose order does not matter."""
    path = difference.path
    expected, got = describe_value(difference.expected), describe_value(difference.got)
    among = f"among the items{f' of {excerpt(pointer(path[:-1]))}' if path[:-1] else ''}"
    if difference.got is NOTHING:
        return _Misfit("wrong_value", path[:-1], False, f"Expected {expected} {among}, in any order; it is not there")
    if difference.expected is NOTHING:
        return _Misfit("wrong_value", path, False, f"Got {got} {among}, where it was not expected")
    return _Misfit("wrong_value", path, False, f"Expected {expected} {among}, in any order; got {got}")
