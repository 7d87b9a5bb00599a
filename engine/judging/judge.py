"""The judge: what is wrong with a reply, and where.

The order of the checks is the order of the classes in a verdict, so the first class is what a person would name first:
is the reply empty, was it truncated, what surrounds the value, is it JSON, does it fit the schema, is the value right?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from engine.judging import breaks
from engine.judging.breaks import Break
from engine.judging.compare import Rule, cursor_of
from engine.judging.misfits import duplicate_key_breaks, value_breaks
from engine.judging.repair import repairable
from engine.judging.shape import SchemaViolation, schema_violations
from engine.judging.unwrap import LocatedValue, Reading, read
from engine.judging.validator import build_validator
from engine.judging.values import Difference, differences
from engine.judging.verdict import Also, FailureClass, Verdict


class Judge:
    """Judges replies against one JSON Schema, which must be valid.

    The dialect is the one that `$schema` names, 2020-12 by default; formats are asserted; nothing is fetched.
    """

    def __init__(self, schema: Mapping[str, Any], compare: Mapping[str, Rule] | None = None) -> None:
        """Without `compare`, which has rules by path (see compare.py), values must equal the expected ones exactly."""
        self._validator = build_validator(schema)
        self._rules = cursor_of(compare or {})

    def judge(self, text: str, finish: Literal["stop", "length"], expected: Any) -> Verdict:
        """The verdict of a reply. `finish` is why decoding ended; `expected` None means nothing was expected.

        Any text gets a verdict, in time linear in its length. `values` is False when there is no value to compare. A
        duplicate key does not make a reply less strict (json.loads accepts it, and the last one counts), but the class
        `duplicate_key` is reported and the reply is not ok. `wrong_value` is reported only for differences that no
        schema violation explains already: for a name that is not the expected one, not for an age that is missing.
        """
        reading = read(text, finish)
        if reading.found is None:
            verdict = _verdict(text, reading, reading.breaks, schema=False, values=None if expected is None else False)
        else:
            verdict = self._judge_value(text, reading, reading.found, expected)
        return verdict if verdict.strict else replace(verdict, repairable=repairable(text, self._validator))

    def _judge_value(self, text: str, reading: Reading, found: LocatedValue, expected: Any) -> Verdict:
        violations = schema_violations(self._validator, found.value)
        equal, difference = self._compare_values(expected, found.value, violations)
        wrong = [
            *reading.breaks,
            *duplicate_key_breaks(text, found),
            *value_breaks(text, found, violations, difference),
        ]
        if wrong:
            return _verdict(text, reading, wrong, schema=not violations, values=equal)
        message = "Valid JSON that satisfies the schema" + (" and has the expected values." if equal else ".")
        return Verdict(reading.strict, True, True, equal, ("ok",), None, message)

    def _compare_values(
        self, expected: Any, value: Any, violations: Sequence[SchemaViolation]
    ) -> tuple[bool | None, Difference | None]:
        """Whether the value equals what was expected, and the first difference that no schema violation explains."""
        if expected is None:
            return None, None
        explained = {violation.at for violation in violations}
        equal = True
        for difference in differences(expected, value, self._rules):
            equal = False
            path = difference.path
            if not any(path[:length] in explained for length in range(len(path) + 1)):
                return False, difference
        return equal, None


def _verdict(text: str, reading: Reading, wrong: Sequence[Break], schema: bool, values: bool | None) -> Verdict:
    """The verdict on a reply in which something is wrong: the first break of each class, in the order given."""
    firsts: dict[FailureClass, Break] = {}
    for found in wrong:
        firsts.setdefault(found.failure, found)
    primary, *others = [_placed(text, found) for found in firsts.values()]
    where, message = primary.where, primary.message
    return Verdict(
        reading.strict, reading.found is not None, schema, values, tuple(firsts), where, message, tuple(others)
    )


def _placed(text: str, found: Break) -> Also:
    place = breaks.where(text, found)
    return Also(found.failure, place, breaks.message(found, place))
