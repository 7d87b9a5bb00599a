"""Detects, while replies stream, the moment from which they can no longer become ok."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from engine.judging.live import LiveChecker
from engine.judging.possible import SchemaPrefixes
from engine.per_schema import SchemaCache
from engine.protocol.events import Broke
from engine.records import ARMS, Arm
from engine.suites.jobs import Job


class BreakWatcher:
    """A checker for each arm of each job in flight."""

    def __init__(self) -> None:
        self._possible = SchemaCache(SchemaPrefixes)
        self._live: dict[tuple[str, Arm], LiveChecker] = {}

    def start(self, job: Job) -> Iterator[Broke]:
        """A job (re)starts. Yields breaks caused by its prefill."""
        possible = self._possible(job.schema)
        for arm in ARMS:
            self._live[job.id, arm] = LiveChecker(possible, job.think_close)
        yield from self.push(job.id, "both", job.prefill)

    def push(self, job: str, arm: Arm | Literal["both"], text: str) -> Iterator[Broke]:
        """Check more text of one arm, or of both. Yields breaks, one an arm at most."""
        for each in ARMS if arm == "both" else (arm,):
            found = self._live[job, each].push(text)
            if found is not None:
                yield Broke(job, each, found.start, found.end, found.sentence)

    def forget(self, job: str) -> None:
        """Drop the checkers of a finished or cancelled job."""
        for arm in ARMS:
            self._live.pop((job, arm), None)
