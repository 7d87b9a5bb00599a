"""Counts pairs by arm, prompt and variation, and collects the jobs that were fixed or have regressed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from engine.comparing.outcomes import OUTCOMES, Outcome, has_outcome
from engine.comparing.pairing import Pair
from engine.comparing.results import Result, result_of
from engine.judging.verdict import FailureClass
from engine.protocol.events import JobInfo
from engine.records import ARMS, Arm
from engine.runs.job_facts import ReplyFacts
from engine.statistics import Paired

Variation: TypeAlias = str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A job whose reply is as asked in one run and not in the other."""

    job: JobInfo
    before: FailureClass
    """The first class of the verdict in the baseline."""
    after: FailureClass
    """The first class of the verdict in the run."""
    places: tuple[int, int]
    """Where the records are in the files of the baseline and of the run."""


@dataclass(frozen=True, slots=True)
class ArmResults:
    """The results of one arm."""

    overall: Mapping[Outcome, Result]
    """Over all prompts."""
    prompts: Mapping[str, Mapping[Outcome, Result]]
    variations: Mapping[Variation, Result]
    """Of the outcome ok, over all prompts; None is the input as the suite has it."""
    classes: Mapping[tuple[FailureClass, FailureClass], int]
    """How many pairs went from one first class to another."""
    undecoded: Mapping[str, int]
    """Pairs that count nowhere, by where the reply could not be decoded: baseline, run, both."""
    fixed: tuple[Change, ...]
    regressed: tuple[Change, ...]


def _outcomes() -> dict[Outcome, Paired]:
    return {outcome: Paired() for outcome in OUTCOMES}


@dataclass(slots=True)
class _ArmCounts:
    """ArmResults while the pairs are counted."""

    overall: dict[Outcome, Paired] = field(default_factory=_outcomes)
    prompts: dict[str, dict[Outcome, Paired]] = field(default_factory=dict)
    variations: dict[Variation, Paired] = field(default_factory=dict)
    classes: Counter[tuple[FailureClass, FailureClass]] = field(default_factory=Counter)
    undecoded: Counter[str] = field(default_factory=Counter)
    fixed: list[Change] = field(default_factory=list)
    regressed: list[Change] = field(default_factory=list)

    def add(self, job: JobInfo, before: ReplyFacts | None, after: ReplyFacts | None, places: tuple[int, int]) -> None:
        """Count a pair of replies."""
        prompt = self.prompts.setdefault(job.prompt, _outcomes())
        variation = self.variations.setdefault(job.variation, Paired())
        if before is None or after is None:
            self.undecoded["run" if before is not None else "baseline" if after is not None else "both"] += 1
            return
        for outcome in OUTCOMES:
            first, second = has_outcome(before, outcome), has_outcome(after, outcome)
            if first is not None and second is not None:
                # The case is the cluster: its repeats and variations resemble one another and are no independent
                # evidence, so tests count cases and intervals are as wide as the design effect demands.
                self.overall[outcome].add(first, second, job.case)
                prompt[outcome].add(first, second, job.case)
        variation.add(before.ok, after.ok, job.case)
        self.classes[before.classes[0], after.classes[0]] += 1
        if before.ok != after.ok:
            change = Change(job, before.classes[0], after.classes[0], places)
            (self.fixed if after.ok else self.regressed).append(change)

    def results(self) -> ArmResults:
        order = {name: number for number, name in enumerate(self.prompts)}

        def by_prompt(change: Change) -> tuple[int, str]:
            return order[change.job.prompt], change.job.id

        return ArmResults(
            _results(self.overall),
            {name: _results(paired) for name, paired in self.prompts.items()},
            {name: result_of(paired) for name, paired in self.variations.items()},
            self.classes,
            self.undecoded,
            tuple(sorted(self.fixed, key=by_prompt)),
            tuple(sorted(self.regressed, key=by_prompt)),
        )


def _results(outcomes: dict[Outcome, Paired]) -> dict[Outcome, Result]:
    return {outcome: result_of(paired) for outcome, paired in outcomes.items()}


def count(batches: Iterable[list[Pair]], prompts: Iterable[str] = ()) -> tuple[int, dict[Arm, ArmResults]]:
    """The number of pairs, and the results by arm.

    prompts: their order, from the manifest; others follow as they appear, and those without a pair are left out.
    """
    pairs = 0
    counts = {arm: _ArmCounts(prompts={name: _outcomes() for name in prompts}) for arm in ARMS}
    seen: set[str] = set()
    for batch in batches:
        pairs += len(batch)
        for job, before, after in batch:
            seen.add(job.prompt)
            assert before.place is not None
            assert after.place is not None  # both were read from files
            places = before.place, after.place
            for arm in ARMS:
                counts[arm].add(job, before.of(arm), after.of(arm), places)
    for each in counts.values():
        each.prompts = {name: paired for name, paired in each.prompts.items() if name in seen}
    return pairs, {arm: each.results() for arm, each in counts.items()}
