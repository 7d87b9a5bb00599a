"""The jobs of two runs paired by their ids. The baseline's verdicts are held, the other run is read as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from engine.protocol.events import JobInfo
from engine.runs.job_facts import JobFacts
from engine.runs.summaries import Summary, SummaryReader

Pair: TypeAlias = tuple[JobInfo, JobFacts, JobFacts]
"""A job as the run has it, what came of it in the baseline, and in the run."""


class Pairing:
    """The jobs of a baseline, to pair the jobs of other runs with.

    Call `read` first. cases: only jobs of these are looked at, None for all. unknown: of these, the ones of which the
    baseline has no job.
    """

    def __init__(self, baseline: Path, cases: frozenset[str] | None = None) -> None:
        self.reader = SummaryReader(baseline)
        self.cases = cases
        self.unknown = set(cases or ())
        self._jobs: dict[str, tuple[str, JobFacts]] = {}  # by id: the input, and what came of it

    @property
    def jobs(self) -> int:
        """How many jobs have been read of the baseline."""
        return len(self._jobs)

    def read(self) -> Iterator[int]:
        """Read the baseline: how many jobs by now, again and again. Raises OSError where it cannot be read."""
        for batch in self.reader.batches():
            chosen = self.chosen(batch)
            self._jobs.update((info.id, (info.input, facts)) for info, facts in chosen)
            self.unknown.difference_update(info.case for info, _ in chosen)
            yield self.jobs

    def chosen(self, batch: list[Summary]) -> list[Summary]:
        """The jobs of a batch that are looked at."""
        if self.cases is None:
            return batch
        return [summary for summary in batch if summary[0].case in self.cases]

    def in_baseline(self, job: str) -> tuple[str, JobFacts] | None:
        """The input and the facts of a job in the baseline; None where it is not there."""
        return self._jobs.get(job)


class PairedRun:
    """One run paired with the baseline, in the run's order.

    alone: how many of its jobs the baseline does not have. reworded: how many pairs have another input than in the
    baseline. Both are whole when `batches` is at its end.
    """

    def __init__(self, pairing: Pairing, run: Path) -> None:
        self.reader = SummaryReader(run)
        self.alone = 0
        self.reworded = 0
        self._pairing = pairing
        self._seen: set[str] = set()  # a job that stands twice in a file is paired once

    @property
    def only_in_baseline(self) -> int:
        """How many jobs of the baseline the run does not have."""
        return self._pairing.jobs - len(self._seen)

    def batches(self) -> Iterator[list[Pair]]:
        """The pairs, as the run is read. Raises OSError where it cannot be read."""
        for batch in self.reader.batches():
            yield list(self._pairs(self._pairing.chosen(batch)))

    def _pairs(self, batch: list[Summary]) -> Iterator[Pair]:
        for info, facts in batch:
            found = self._pairing.in_baseline(info.id)
            if found is None or info.id in self._seen:
                self.alone += 1
                continue
            self._seen.add(info.id)
            self.reworded += found[0] != info.input
            yield info, found[1], facts
