"""What is compared of two replies: four yes-or-no outcomes, and what their difference allows to conclude."""

from __future__ import annotations

from typing import Literal, TypeAlias

from engine.runs.job_facts import ReplyFacts
from engine.statistics import Interval

Outcome: TypeAlias = Literal["ok", "strict", "schema", "values"]
OUTCOMES: tuple[Outcome, ...] = ("ok", "strict", "schema", "values")
"""ok: the reply is as asked. The others are the booleans of the verdict."""

_ALPHA = 0.05
Conclusion: TypeAlias = Literal["better", "worse", "no difference shown", "nothing to compare"]


def has_outcome(facts: ReplyFacts, outcome: Outcome) -> bool | None:
    """Whether a reply has the outcome; None if that is not defined: values, where none were expected."""
    match outcome:
        case "ok":
            return facts.ok
        case "strict":
            return facts.strict
        case "schema":
            return facts.schema
        case "values":
            return facts.values


def conclusion(interval: Interval | None, p: float | None) -> Conclusion:
    """What a paired difference, run minus baseline, shows: something if its interval excludes zero and p < 0.05.

    interval: its 95 % interval; None if there are no pairs. p: of the exact test; None if no case differs.
    """
    # Both are required, since each is reliable where the other is not: the interval is too narrow where few cases
    # differ and a share is near 0 or 1, and the test ignores how many jobs of a case differ.
    if interval is None:
        return "nothing to compare"
    low, high = interval
    if p is None or p >= _ALPHA or low <= 0 <= high:
        return "no difference shown"
    return "better" if low > 0 else "worse"
