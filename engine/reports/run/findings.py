"""What a run shows, counted in one pass over its records. The sections put it into words."""

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
    """One arm under one prompt. Replies that could not be decoded are in `rates.errors` and nowhere else."""

    rates: ArmRates = field(default_factory=ArmRates)
    classes: Counter[FailureClass] = field(default_factory=Counter)
    """How often each was the first of a verdict, including "ok"."""
    valid_wrong: Share = field(default_factory=Share)
    """Replies with a wrong value, of the strict ones that satisfy the schema and have expected values."""
    repairable: Share = field(default_factory=Share)
    """Replies that json_repair makes satisfy the schema, of those that are not strict and were tried."""
    limit: Share = field(default_factory=Share)
    """Replies that ended at the token limit."""
    tokens: array[float] = field(default_factory=lambda: array("d"))
    """Of each reply whose tokens are reported."""
    seconds: array[float] = field(default_factory=lambda: array("d"))
    """Of each reply."""
    cases: Counter[str] = field(default_factory=Counter)
    """How many replies each case has."""

    def add(self, reply: Reply, case: str) -> None:
        """Count a reply to a case."""
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
        if reply.tokens or not reply.text:  # else a server did not report them
            self.tokens.append(len(reply.tokens))
        self.seconds.append(reply.seconds)

    @property
    def design_effect(self) -> float:
        """Of the clusters that the replies to one case are, see statistics.design_effect."""
        return design_effect(self.cases.values())


@dataclass(slots=True)
class PromptFindings:
    """One prompt. Pairs are jobs of which both arms were decoded."""

    jobs: int = 0
    arms: dict[Arm, ArmFindings] = field(default_factory=lambda: {arm: ArmFindings() for arm in ARMS})
    fine: Paired = field(default_factory=Paired)
    """Pairs by whether each reply is as asked (its verdict is ok), free first."""
    right: Paired = field(default_factory=Paired)
    """Pairs with expected values, by whether the values are right, wrapped or not."""
    removed: array[float] = field(default_factory=lambda: array("d"))
    """At each fork, the probability that the mask removed."""
    forked: Share = field(default_factory=Share)
    """Pairs that have a fork."""
    forked_at_start: Share = field(default_factory=Share)
    """Those of them that fork at the first token."""

    def add(self, record: Record) -> None:
        """Count a job."""
        self.jobs += 1
        for arm in ARMS:
            self.arms[arm].add(record.reply(arm), record.case)
        free, constrained = record.free.verdict, record.constrained.verdict
        if free is None or constrained is None:
            return
        self.fine.add(free.ok, constrained.ok, record.case)
        if free.values is not None and constrained.values is not None:
            self.right.add(free.values, constrained.values, record.case)
        self.forked.add(record.fork is not None)
        if record.fork is not None:
            if record.fork.allowed_mass is not None:
                self.removed.append(max(1.0 - record.fork.allowed_mass, 0.0))  # rounding can make the mass 1.0000001
            self.forked_at_start.add(record.fork.token == 0 or record.fork.char == 0)


@dataclass(slots=True)
class Findings:
    """A whole run."""

    records: int = 0
    """How many jobs are finished."""
    prompts: dict[str, PromptFindings] = field(default_factory=dict)
    """In the order of the manifest, then in that of the records."""
    variations: dict[Variation, dict[Arm, Counter[FailureClass]]] = field(default_factory=dict)
    """The first classes by variation and arm; None is the input as the suite has it."""
    examples: Examples = field(default_factory=Examples)
    broken: list[tuple[int, str, int]] = field(default_factory=list)
    """Jobs that are not as asked in both arms: the prompt's number, the job's id, its place in the file."""
    cases: set[str] = field(default_factory=set)
    repeated: bool = False
    """Whether cases have several repeats."""
    varied: bool = False
    """Whether cases have variations."""
    consistency: Consistency | None = None

    def add(self, record: Record, place: int) -> None:
        """Count a job, which is at `place` in the file."""
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
    """What the constraint changed in a job; None if an arm was not decoded."""
    free, constrained = record.free.verdict, record.constrained.verdict
    return None if free is None or constrained is None else _OUTCOMES[free.ok, constrained.ok]


def gather(run: RunFolder) -> Findings:
    """The findings of a run. Reads it once, and a second time if its cases have repeats or variations."""
    findings = Findings(prompts={prompt.name: PromptFindings() for prompt in run.manifest.prompts})
    for place, record in run.records():
        findings.add(record, place)
    findings.broken.sort()
    findings.prompts = {name: prompt for name, prompt in findings.prompts.items() if prompt.jobs}
    if findings.repeated or findings.varied:
        findings.consistency = measure(record for _, record in run.records())
    return findings
