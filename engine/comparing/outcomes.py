"""What is compared of two replies: four yes-or-no outcomes, and what one may conclude of their difference."""

from __future__ import annotations

from typing import Literal, TypeAlias

from engine.runs.facts import ReplyFacts
from engine.runs.statistics import Interval

Outcome: TypeAlias = Literal["ok", "strict", "schema", "values"]
OUTCOMES: tuple[Outcome, ...] = ("ok", "strict", "schema", "values")
"""ok: the reply is as asked, nothing is wrong with it. The others are the booleans of the verdict."""

Conclusion: TypeAlias = Literal["better", "worse", "no difference shown", "nothing to compare"]


def held(facts: ReplyFacts, outcome: Outcome) -> bool | None:
    """Whether a reply has the outcome; None where it cannot have one: values, of which none were expected."""
    match outcome:
        case "ok":
            return facts.ok
        case "strict":
            return facts.strict
        case "schema":
            return facts.schema
        case "values":
            return facts.values


def conclusion(interval: Interval | None) -> Conclusion:
    """What the interval of a difference (run minus baseline) shows: more or less where it excludes zero.

    None is the interval of no pairs.
    """
    if interval is None:
        return "nothing to compare"
    low, high = interval
    return "better" if low > 0 else "worse" if high < 0 else "no difference shown"
