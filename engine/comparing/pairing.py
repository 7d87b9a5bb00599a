"""Pairs the jobs of two runs by their ids: the baseline's verdicts are kept in memory, the other run is streamed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from engine.protocol.events import JobInfo
from engine.runs.job_facts import JobFacts
from engine.runs.summaries import Summary, SummaryReader

Pair: TypeAlias = tuple[JobInfo, JobFacts, JobFacts]
"""A job as the run has it, its facts in the baseline, its facts in the run."""


class Pairing:
    """The jobs of a baseline, to pair the jobs of other runs with. Call `read` first."""

    cases: frozenset[str] | None
    """Only their jobs are paired; None for all cases."""
    unknown: set[str]
    """Those of `cases` that the baseline has no job of."""

    def __init__(self, baseline: Path, cases: frozenset[str] | None = None) -> None:
        self.reader = SummaryReader(baseline)
        self.cases = cases
        self.unknown = set(cases or ())
        self._jobs: dict[str, tuple[str, JobFacts]] = {}  # by id: the input and the facts

    @property
    def jobs(self) -> int:
        """How many jobs of the baseline have been read."""
        return len(self._jobs)

    def read(self) -> Iterator[int]:
        """Read the baseline, and yield how many jobs it has so far. Raises OSError."""
        for batch in self.reader.batches():
            chosen = self.chosen(batch)
            self._jobs.update((info.id, (info.input, facts)) for info, facts in chosen)
            self.unknown.difference_update(info.case for info, _ in chosen)
            yield self.jobs

    def chosen(self, batch: list[Summary]) -> list[Summary]:
        """The jobs of a batch that are to be paired."""
        if self.cases is None:
            return batch
        return [summary for summary in batch if summary[0].case in self.cases]

    def in_baseline(self, job: str) -> tuple[str, JobFacts] | None:
        """The input and the facts of a job in the baseline; None if it has no such job."""
        return self._jobs.get(job)


class PairedRun:
    """One run paired with the baseline, in the run's order. Its counts are complete when `batches` has ended."""

    only_in_run: int
    """How many of its jobs the baseline does not have."""
    reworded: int
    """How many pairs have different inputs."""

    def __init__(self, pairing: Pairing, run: Path) -> None:
        self.reader = SummaryReader(run)
        self.only_in_run = 0
        self.reworded = 0
        self._pairing = pairing
        self._seen: set[str] = set()  # a job that a file contains twice is paired once

    @property
    def only_in_baseline(self) -> int:
        """How many jobs of the baseline the run does not have."""
        return self._pairing.jobs - len(self._seen)

    def batches(self) -> Iterator[list[Pair]]:
        """The pairs, while the run is read. Raises OSError."""
        for batch in self.reader.batches():
            yield list(self._pairs(self._pairing.chosen(batch)))

    def _pairs(self, batch: list[Summary]) -> Iterator[Pair]:
        for info, facts in batch:
            before = self._pairing.in_baseline(info.id)
            if before is None or info.id in self._seen:
                self.only_in_run += 1
                continue
            self._seen.add(info.id)
            self.reworded += before[0] != info.input
            yield info, before[1], facts
