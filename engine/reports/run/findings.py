"""What a run shows, counted in one pass over its records; nothing of it is worded here."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from engine.judging.verdict import FailureClass
from engine.records import ARMS, Arm, Record, Reply
from engine.reports.run.consistency import Consistency, measure
from engine.reports.run.examples import Examples
from engine.runs.rates import ArmRates
from engine.runs.reading import RunFolder
from engine.statistics import Paired, Share, design_effect

Outcome: TypeAlias = Literal["both fine", "rescued", "broken by constraint", "both wrong"]
Variation: TypeAlias = str | None
_OUTCOMES: dict[tuple[bool, bool], Outcome] = {
    (True, True): "both fine",
    (False, True): "rescued",
    (True, False): "broken by constraint",
    (False, False): "both wrong",
}


@dataclass(slots=True)
class ArmFindings:
    """One arm under one prompt. Replies that could not be decoded are in `rates.errors` and nowhere else.

    classes: how often each was the first of a verdict, "ok" among them. valid_wrong: of the strict replies that satisfy
    the schema and of which something was expected, those with a wrong value. repairable: of the replies that are not
    strict and that were tried, those that json_repair makes satisfy the schema. limit: those that ended at the limit.
    tokens, seconds: of each reply. cases: how many of the replies are to each case.
    """

    rates: ArmRates = field(default_factory=ArmRates)
    classes: Counter[FailureClass] = field(default_factory=Counter)
    valid_wrong: Share = field(default_factory=Share)
    repairable: Share = field(default_factory=Share)
    limit: Share = field(default_factory=Share)
    tokens: array[float] = field(default_factory=lambda: array("d"))
    seconds: array[float] = field(default_factory=lambda: array("d"))
    cases: Counter[str] = field(default_factory=Counter)

    def add(self, reply: Reply, case: str) -> None:
        """Count one more reply, to a case."""
        verdict = reply.verdict
        self.rates.add(verdict)
        if verdict is None:
            return
        self.cases[case] += 1
        self.classes[verdict.classes[0]] += 1
        if verdict.strict and verdict.schema and verdict.values is not None:
            self.valid_wrong.add(not verdict.values)
        if not verdict.strict and verdict.repairable is not None:
            self.repairable.add(verdict.repairable)
        self.limit.add(reply.finish == "length")
        if reply.tokens or not reply.text:  # else a server has not told of them
            self.tokens.append(len(reply.tokens))
        self.seconds.append(reply.seconds)

    @property
    def design_effect(self) -> float:
        """How many replies count as one (see `statistics.alike`)."""
        return design_effect(self.cases.values())


@dataclass(slots=True)
class PromptFindings:
    """One prompt, with so many jobs. Pairs are jobs of which both arms were decoded.

    fine: pairs by whether each reply was as asked (its verdict is ok), free first. right: pairs of which something was
    expected, by whether the values are right, wrapped or not. removed: at each fork, the probability that the mask took
    away. parted: of the pairs, those that have a fork. at_once: of those, the ones that part at the first token.
    """

    jobs: int = 0
    arms: dict[Arm, ArmFindings] = field(default_factory=lambda: {arm: ArmFindings() for arm in ARMS})
    fine: Paired = field(default_factory=Paired)
    right: Paired = field(default_factory=Paired)
    removed: array[float] = field(default_factory=lambda: array("d"))
    parted: Share = field(default_factory=Share)
    at_once: Share = field(default_factory=Share)

    def add(self, record: Record) -> None:
        """Count one more job."""
        self.jobs += 1
        for arm in ARMS:
            self.arms[arm].add(record.reply(arm), record.case)
        free, constrained = record.free.verdict, record.constrained.verdict
        if free is None or constrained is None:
            return
        self.fine.add(free.ok, constrained.ok, record.case)
        if free.values is not None and constrained.values is not None:
            self.right.add(free.values, constrained.values, record.case)
        self.parted.add(record.fork is not None)
        if record.fork is not None:
            if record.fork.allowed_mass is not None:
                self.removed.append(max(1.0 - record.fork.allowed_mass, 0.0))  # rounding can make the mass 1.0000001
            self.at_once.add(record.fork.token == 0 or record.fork.char == 0)


@dataclass(slots=True)
class Findings:
    """A whole run.

    records: how many jobs. prompts: in the order of the manifest, then as they come. variations: the classes by
    variation and arm, None is the input as the suite has it. broken: (prompt's number, job id, place in the file) of
    each job of which not both arms are as asked. repeated, varied: whether cases have several repeats, variations.
    """

    records: int = 0
    prompts: dict[str, PromptFindings] = field(default_factory=dict)
    variations: dict[Variation, dict[Arm, Counter[FailureClass]]] = field(default_factory=dict)
    examples: Examples = field(default_factory=Examples)
    broken: list[tuple[int, str, int]] = field(default_factory=list)
    cases: set[str] = field(default_factory=set)
    repeated: bool = False
    varied: bool = False
    consistency: Consistency | None = None

    def add(self, record: Record, place: int) -> None:
        """Count one more job, which is written at `place`."""
        self.records += 1
        self.cases.add(record.case)
        self.repeated |= record.repeat > 0
        self.varied |= record.variation is not None
        self.prompts.setdefault(record.prompt, PromptFindings()).add(record)
        counts = self.variations.setdefault(record.variation, {arm: Counter() for arm in ARMS})
        for arm in ARMS:
            verdict = record.reply(arm).verdict
            if verdict is not None:
                counts[arm][verdict.classes[0]] += 1
        self.examples.add(record, outcome(record), place)
        if any((verdict := record.reply(arm).verdict) is None or not verdict.ok for arm in ARMS):
            self.broken.append((list(self.prompts).index(record.prompt), record.id, place))


def outcome(record: Record) -> Outcome | None:
    """What the constraint made of a job; None where an arm was not decoded."""
    free, constrained = record.free.verdict, record.constrained.verdict
    return None if free is None or constrained is None else _OUTCOMES[free.ok, constrained.ok]


def gather(run: RunFolder) -> Findings:
    """The findings of a run. Reads it once, and a second time where its cases have repeats or variations."""
    findings = Findings(prompts={prompt.name: PromptFindings() for prompt in run.manifest.prompts})
    for place, record in run.records():
        findings.add(record, place)
    findings.broken.sort()
    findings.prompts = {name: found for name, found in findings.prompts.items() if found.jobs}
    if findings.repeated or findings.varied:
        findings.consistency = measure(record for _, record in run.records())
    return findings
