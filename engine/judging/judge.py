"""The judge: what is wrong with a reply, and where.

The order of the questions is the order of the classes in a verdict, so the first is what a person would name first:
is there anything, did it end, what is around the value, is it JSON, has it the shape, is it the right value?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from engine.judging import breaks, spans
from engine.judging.breaks import Break
from engine.judging.shape import ShapeFault, shape_faults
from engine.judging.unwrap import Found, Reading, read
from engine.judging.validator import build_validator
from engine.judging.values import NOTHING, Difference, differences
from engine.judging.verdict import FailureClass, Verdict, Where
from engine.judging.wording import Path, excerpt, pointer, show


class Judge:
    """Judges replies against one JSON Schema, which is already known to be valid.

    The dialect is the one that `$schema` names, 2020-12 if none is; formats are asserted; nothing is fetched.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = build_validator(schema)

    def judge(self, text: str, finish: Literal["stop", "length"], expected: Any) -> Verdict:
        """The verdict of a reply. `finish` is why decoding ended; `expected` None means nothing was expected.

        Any text gets a verdict, in time linear in its length. `values` is False when there is no value to compare. A
        key that comes twice does not make a reply less strict (json.loads takes it, and the last one counts), but the
        class `duplicate_key` is reported and the reply is not ok. `wrong_value` is reported for what the shape does
        not explain already: a name that is not the expected one, not an age that is missing.
        """
        reading = read(text, finish)
        if reading.found is None:
            classes, place, message = _named(text, reading.breaks)
            return Verdict(False, False, False, None if expected is None else False, classes, place, message)
        return self._judge_value(text, reading, reading.found, expected)

    def _judge_value(self, text: str, reading: Reading, found: Found, expected: Any) -> Verdict:
        faults = shape_faults(self._validator, found.value)
        equal, difference = _compared(expected, found.value, faults)
        wrong = [*reading.breaks, *_duplicates(text, found)]
        also = [fault.failure for fault in faults]
        if difference is not None:
            also.append("wrong_value")
        if not wrong and faults:  # places are looked up for the primary class alone: that takes a pass over the text
            wrong = [_shape_break(text, found, faults[0])]
        elif not wrong and difference is not None:
            wrong = [_value_break(text, found, difference)]
        if not wrong:
            said = "Valid JSON that satisfies the schema" + (" and has the expected values." if equal else ".")
            return Verdict(reading.strict, True, True, equal, ("ok",), None, said)
        classes, place, message = _named(text, wrong, also)
        return Verdict(reading.strict, True, not faults, equal, classes, place, message)


def _named(
    text: str, wrong: Sequence[Break], also: Sequence[FailureClass] = ()
) -> tuple[tuple[FailureClass, ...], Where, str]:
    """The classes, each once, and the place and the sentence of the primary one."""
    classes = dict.fromkeys([*(each.failure for each in wrong), *also])
    place = breaks.where(text, wrong[0])
    return tuple(classes), place, breaks.message(wrong[0], place)


def _compared(expected: Any, value: Any, faults: Sequence[ShapeFault]) -> tuple[bool | None, Difference | None]:
    """Whether the value equals what was expected, and the first difference that no fault of shape explains."""
    if expected is None:
        return None, None
    explained = {fault.at for fault in faults}
    equal = True
    for difference in differences(expected, value):
        equal = False
        path = difference.path
        if not any(path[:length] in explained for length in range(len(path) + 1)):
            return False, difference
    return equal, None


def _duplicates(text: str, found: Found) -> list[Break]:
    twice = spans.duplicate_key(text, found.start) if found.repeated else None
    if twice is None:
        return []
    span, path = twice
    said = f"The key {excerpt(text[span.start : span.end])} comes twice in one object: only the last one counts"
    return [Break("duplicate_key", span.start, span.end, said, pointer(path))]


def _shape_break(text: str, found: Found, fault: ShapeFault) -> Break:
    """A missing key is marked as the object that lacks it, an extra one as the key, anything else as the value."""
    path = fault.path if fault.failure == "missing_key" else fault.at
    span = _span(text, found, path, of_key=fault.key is not None and fault.failure != "missing_key")
    return Break(fault.failure, span.start, span.end, fault.sentence, pointer(path))


def _value_break(text: str, found: Found, difference: Difference) -> Break:
    """What is missing is marked as the container that lacks it, what is too much as the key or the item."""
    path, expected, got = difference.path, difference.expected, difference.got
    at = f" at {excerpt(pointer(path))}" if path else ""
    if got is NOTHING:
        path, said = path[:-1], f"Expected {show(expected)}{at}, got nothing"
    elif expected is NOTHING:
        said = f"Got {show(got)}{at}, where nothing was expected"
    else:
        said = f"Expected {show(expected)}{at}, got {show(got)}"
    span = _span(text, found, path, of_key=expected is NOTHING)
    return Break("wrong_value", span.start, span.end, said, pointer(path))


def _span(text: str, found: Found, path: Path, of_key: bool) -> spans.Span:
    """Where the value at `path` stands, or its key if it has one and that is asked for."""
    place = spans.locate(text, found.start, path)
    if place is None:  # not reached: every path comes from the value itself
        return spans.Span(found.start, found.end)
    return place.key if of_key and place.key is not None else place.value
