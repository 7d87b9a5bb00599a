"""Whether a model gives the same reply again: across the repeats of an input, and across the variations of a case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from engine.judging.unwrap import read
from engine.judging.values import NOTHING, differences
from engine.records import ARMS, Arm, Record, Reply
from engine.statistics import Share

Key: TypeAlias = tuple[str, Arm]
"""A prompt and an arm."""


@dataclass(slots=True)
class Stability:
    """Cases with several replies, by what is the same in all of them."""

    verdict: Share = field(default_factory=Share)
    """The four booleans and the first class are the same."""
    values: Share = field(default_factory=Share)
    """Every reply has one JSON value, and they are equal as the judge compares (1 is 1.0, keys have no order)."""
    always: Share = field(default_factory=Share)
    """The values are right in all replies; only of cases with expected values."""
    never: Share = field(default_factory=Share)
    """The values are right in none of the replies; likewise."""

    def add(self, group: _Group) -> None:
        """Count a case, if it has several replies."""
        if group.replies < 2:
            return
        self.verdict.add(group.same_verdict)
        self.values.add(group.same_value)
        if group.expected:
            self.always.add(group.right == group.replies)
            self.never.add(group.right == 0)


@dataclass(frozen=True, slots=True)
class Consistency:
    """Stability by prompt and arm, for keys that have a case with several replies."""

    repeats: dict[Key, Stability]
    """Of the replies to a case's own input with different seeds."""
    variations: dict[Key, Stability]
    """Of the first repeat's replies to all variations of a case, including its own input."""


@dataclass(slots=True)
class _Group:
    """The replies of one arm to one case under one prompt, so far."""

    replies: int = 0
    right: int = 0
    expected: bool = False
    same_verdict: bool = True
    same_value: bool = True
    verdict: tuple[object, ...] = ()
    value: Any = NOTHING

    def add(self, reply: Reply) -> None:
        """Add a reply; one that was not decoded is ignored."""
        verdict = reply.verdict
        if verdict is None:
            return
        summary = (verdict.strict, verdict.unwrapped, verdict.schema, verdict.values, verdict.classes[0])
        value = _value(reply)
        if self.replies == 0:
            self.verdict, self.value = summary, value
        self.same_verdict &= summary == self.verdict
        self.same_value &= _equal(self.value, value)
        self.replies += 1
        self.expected |= verdict.values is not None
        self.right += verdict.values is True


def measure(records: Iterable[Record]) -> Consistency:
    """The stability of all cases of a run, in one pass; memory grows with the cases, not with their replies."""
    repeats: dict[tuple[Key, str], _Group] = {}
    variations: dict[tuple[Key, str], _Group] = {}
    for record in records:
        for arm in ARMS:
            key = ((record.prompt, arm), record.case)
            if record.variation is None:
                repeats.setdefault(key, _Group()).add(record.reply(arm))
            if record.repeat == 0:
                variations.setdefault(key, _Group()).add(record.reply(arm))
    return Consistency(_by_key(repeats), _by_key(variations))


def _by_key(groups: dict[tuple[Key, str], _Group]) -> dict[Key, Stability]:
    stabilities: dict[Key, Stability] = {}
    for (key, _), group in groups.items():
        stabilities.setdefault(key, Stability()).add(group)
    return {key: stability for key, stability in stabilities.items() if stability.verdict.n}


def _value(reply: Reply) -> Any:
    """The one JSON value of a reply; NOTHING if it has none."""
    found = read(reply.text, "length" if reply.finish == "length" else "stop").found
    return NOTHING if found is None else found.value


def _equal(one: Any, other: Any) -> bool:
    return one is not NOTHING and other is not NOTHING and next(differences(one, other), None) is None
