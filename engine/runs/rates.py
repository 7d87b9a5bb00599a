"""The shares that sum up a run: strict, unwrapped, schema-valid and right replies, by arm and prompt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.judging.verdict import Verdict
from engine.records import ARMS, Arm, Record
from engine.runs.job_facts import ReplyFacts
from engine.statistics import Share


@dataclass(slots=True)
class ArmRates:
    """The shares of one arm. Replies that could not be decoded are in none of them."""

    strict: Share = field(default_factory=Share)
    unwrapped: Share = field(default_factory=Share)
    schema: Share = field(default_factory=Share)
    right: Share = field(default_factory=Share)
    """Only of replies with expected values."""
    errors: int = 0
    """Replies that could not be decoded."""

    def add(self, verdict: Verdict | ReplyFacts | None, times: int = 1) -> None:
        """Count replies with this verdict."""
        if verdict is None:
            self.errors += times
            return
        self.strict.add(verdict.strict, times)
        self.unwrapped.add(verdict.unwrapped, times)
        self.schema.add(verdict.schema, times)
        if verdict.values is not None:
            self.right.add(verdict.values, times)


def rates_by_prompt(records: Iterable[Record]) -> dict[tuple[str, Arm], ArmRates]:
    """Rates for each prompt and arm, in the order in which they first appear."""
    rates: dict[tuple[str, Arm], ArmRates] = {}
    for record in records:
        for arm in ARMS:
            rates.setdefault((record.prompt, arm), ArmRates()).add(record.reply(arm).verdict)
    return rates
