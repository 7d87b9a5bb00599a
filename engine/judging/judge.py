"""The judge: what is wrong with a reply, and where.

The order of the questions is the order of the classes in a verdict, so the first is what a person would name first:
is there anything, did it end, what is around the value, is it JSON, has it the shape, is it the right value?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from engine.judging import breaks
from engine.judging.breaks import Break
from engine.judging.compare import Rule, cursor_of
from engine.judging.misfits import duplicates, misfits
from engine.judging.repair import repairable
from engine.judging.shape import ShapeFault, shape_faults
from engine.judging.unwrap import Found, Reading, read
from engine.judging.validator import build_validator
from engine.judging.values import Difference, differences
from engine.judging.verdict import Also, FailureClass, Verdict


class Judge:
    """Judges replies against one JSON Schema, which is already known to be valid.

    The dialect is the one that `$schema` names, 2020-12 if none is; formats are asserted; nothing is fetched.
    """

    def __init__(self, schema: Mapping[str, Any], compare: Mapping[str, Rule] | None = None) -> None:
        """compare: by path, how the expected values are compared (see compare.py); without any they must be equal."""
        self._validator = build_validator(schema)
        self._compare = cursor_of(compare or {})

    def judge(self, text: str, finish: Literal["stop", "length"], expected: Any) -> Verdict:
        """The verdict of a reply. `finish` is why decoding ended; `expected` None means nothing was expected.

        Any text gets a verdict, in time linear in its length. `values` is False when there is no value to compare. A
        key that comes twice does not make a reply less strict (json.loads takes it, and the last one counts), but the
        class `duplicate_key` is reported and the reply is not ok. `wrong_value` is reported for what the shape does
        not explain already: a name that is not the expected one, not an age that is missing.
        """
        reading = read(text, finish)
        if reading.found is None:
            verdict = _verdict(text, reading, reading.breaks, schema=False, values=None if expected is None else False)
        else:
            verdict = self._judge_value(text, reading, reading.found, expected)
        return verdict if verdict.strict else replace(verdict, repairable=repairable(text, self._validator))

    def _judge_value(self, text: str, reading: Reading, found: Found, expected: Any) -> Verdict:
        faults = shape_faults(self._validator, found.value)
        equal, difference = self._compared(expected, found.value, faults)
        wrong = [*reading.breaks, *duplicates(text, found), *misfits(text, found, faults, difference)]
        if wrong:
            return _verdict(text, reading, wrong, schema=not faults, values=equal)
        said = "Valid JSON that satisfies the schema" + (" and has the expected values." if equal else ".")
        return Verdict(reading.strict, True, True, equal, ("ok",), None, said)

    def _compared(
        self, expected: Any, value: Any, faults: Sequence[ShapeFault]
    ) -> tuple[bool | None, Difference | None]:
        """Whether the value equals what was expected, and the first difference that no fault of shape explains."""
        if expected is None:
            return None, None
        explained = {fault.at for fault in faults}
        equal = True
        for difference in differences(expected, value, self._compare):
            equal = False
            path = difference.path
            if not any(path[:length] in explained for length in range(len(path) + 1)):
                return False, difference
        return equal, None


def _verdict(text: str, reading: Reading, wrong: Sequence[Break], schema: bool, values: bool | None) -> Verdict:
    """What is said of a reply in which something is wrong: of each class the first break, in the order given."""
    firsts: dict[FailureClass, Break] = {}
    for found in wrong:
        firsts.setdefault(found.failure, found)
    primary, *others = [_told(text, found) for found in firsts.values()]
    where, message = primary.where, primary.message
    return Verdict(
        reading.strict, reading.found is not None, schema, values, tuple(firsts), where, message, tuple(others)
    )


def _told(text: str, found: Break) -> Also:
    place = breaks.where(text, found)
    return Also(found.failure, place, breaks.message(found, place))
