"""What lists, counts and filters need of a finished job: its verdicts without the texts, small enough to keep all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from engine.judging.verdict import FailureClass, Verdict
from engine.records import ARMS, Arm, Record


@dataclass(frozen=True, slots=True)
class ReplyFacts:
    """The verdict on one reply, without its place and sentence. Make it with `reply_facts`."""

    strict: bool
    unwrapped: bool
    schema: bool
    values: bool | None
    classes: tuple[FailureClass, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the reply."""
        return self.classes == ("ok",)


reply_facts = lru_cache(maxsize=4096)(ReplyFacts)
"""Equal facts are one object: of 100,000 jobs there are few different ones."""


@dataclass(frozen=True, slots=True)
class JobFacts:
    """A finished job."""

    free: ReplyFacts | None
    """None if the arm was not decoded."""
    constrained: ReplyFacts | None
    """None likewise."""
    agree: bool | None = None
    """As in Record."""
    place: int | None = None
    """Where the record begins in `records.jsonl`, in bytes; None if it is kept in memory."""

    def of(self, arm: Arm) -> ReplyFacts | None:
        """The facts of one arm's reply."""
        return self.free if arm == "free" else self.constrained


def facts_of(record: Record) -> JobFacts:
    """The facts of a record that is kept in memory."""
    free, constrained = (_of_verdict(record.reply(arm).verdict) for arm in ARMS)
    return JobFacts(free, constrained, record.agree)


def _of_verdict(verdict: Verdict | None) -> ReplyFacts | None:
    if verdict is None:
        return None
    return reply_facts(verdict.strict, verdict.unwrapped, verdict.schema, verdict.values, verdict.classes)
