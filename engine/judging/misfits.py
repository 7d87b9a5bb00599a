"""Breaks in the value itself, in their places: a key that comes twice, faults of shape, what was not expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.judging.breaks import Break
from engine.judging.shape import ShapeFault
from engine.judging.spans import Place, Span, duplicate_key, locate
from engine.judging.unwrap import Found
from engine.judging.values import NOTHING, Difference
from engine.judging.verdict import FailureClass
from engine.judging.wording import Path, excerpt, pointer, show


def duplicates(text: str, found: Found) -> list[Break]:
    """The first key that its object already has, if there is one."""
    twice = duplicate_key(text, found.start) if found.repeated else None
    if twice is None:
        return []
    span, path = twice
    said = f"The key {excerpt(text[span.start : span.end])} comes twice in one object: only the last one counts"
    return [Break("duplicate_key", span.start, span.end, said, pointer(path))]


@dataclass(frozen=True, slots=True)
class _Misfit:
    """Something wrong in the value at `path`, or with its key, before its place in the text is known."""

    failure: FailureClass
    path: Path
    of_key: bool
    sentence: str


def misfits(text: str, found: Found, faults: Sequence[ShapeFault], difference: Difference | None) -> Iterator[Break]:
    """The first fault of each class and the difference, with their places, for which the text is read once."""
    firsts: dict[FailureClass, _Misfit] = {}
    for fault in faults:
        if fault.failure not in firsts:
            firsts[fault.failure] = _misfit(fault)
    if difference is not None:
        firsts["wrong_value"] = _wrong_value(difference)
    places = locate(text, found.start, {misfit.path for misfit in firsts.values()})
    whole = Place(Span(found.start, found.end), None)
    for misfit in firsts.values():
        place = places.get(misfit.path, whole)
        span = place.key if misfit.of_key and place.key is not None else place.value
        yield Break(misfit.failure, span.start, span.end, misfit.sentence, pointer(misfit.path))


def _misfit(fault: ShapeFault) -> _Misfit:
    """A missing key is marked as the object that lacks it, an extra one as the key, anything else as the value."""
    if fault.failure == "missing_key":
        return _Misfit(fault.failure, fault.path, False, fault.sentence)
    return _Misfit(fault.failure, fault.at, fault.key is not None, fault.sentence)


def _wrong_value(difference: Difference) -> _Misfit:
    """What is missing is marked as the container that lacks it, what is too much as the key or the item."""
    path, expected, got = difference.path, difference.expected, difference.got
    if difference.unordered:
        return _wrong_item(difference)
    at = f" at {excerpt(pointer(path))}" if path else ""
    if got is NOTHING:
        path, said = path[:-1], f"Expected {show(expected)}{at}, got nothing"
    elif expected is NOTHING:
        said = f"Got {show(got)}{at}, where nothing was expected"
    else:
        said = f"Expected {show(expected)}{at}, got {show(got)}"
    return _Misfit("wrong_value", path, expected is NOTHING, said)


def _wrong_item(difference: Difference) -> _Misfit:
    """The same of an item of an array whose order does not count."""
    path, expected, got = difference.path, difference.expected, difference.got
    among = f"among the items{f' of {excerpt(pointer(path[:-1]))}' if path[:-1] else ''}"
    if got is NOTHING:
        return _Misfit(
            "wrong_value", path[:-1], False, f"Expected {show(expected)} {among}, in any order; it is not there"
        )
    if expected is NOTHING:
        return _Misfit("wrong_value", path, False, f"Got {show(got)} {among}, where it was not expected")
    return _Misfit("wrong_value", path, False, f"Expected {show(expected)} {among}, in any order; got {show(got)}")
