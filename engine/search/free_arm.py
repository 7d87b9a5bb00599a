"""Decodes the jobs of a search in one batch, free arm only, and stores their records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from engine.backends import ArmResult, Backend, BatchHalved, Finished, TokenAdded
from engine.protocol.events import Event
from engine.records import Record, Reply
from engine.running.control import Control, drive
from engine.running.recorder import Recorder, not_decoded
from engine.running.run import halved_remark
from engine.running.streaming import Meter
from engine.runs.store import RunStore
from engine.suites.jobs import Job
from engine.suites.suite import Suite

_FREE_ONLY = "The search decodes the free arm alone."


class Answer(NamedTuple):
    """A candidate's reply to a case."""

    record: Record
    tokens: int
    """The length of its prompt."""


class FreeArm:
    """Decodes jobs without a grammar. Every record is on disk before it is yielded."""

    def __init__(
        self,
        backend: Backend[Any],
        suite: Suite,
        batch: int | None,
        store: RunStore,
        meter: Meter,
        control: Control,
        emit: Callable[[Event], None],
    ) -> None:
        """suite: determines how replies are decoded and compared. batch: the most rows at once."""
        self._backend, self._generation, self._batch = backend, suite.generation, batch
        self._recorder = Recorder(suite.name, suite.compare)
        self._store, self._meter, self._control, self._emit = store, meter, control, emit

    def answers(self, jobs: Sequence[Job]) -> Iterator[Answer]:
        """Answers as they finish, fewer than the jobs if `control` stops the run. Raises EngineError (memory, disk)."""
        by_id = {job.id: job for job in jobs}
        plan = self._backend.plan(jobs, lambda job: None, self._generation, self._batch)
        for job_id, reason in plan.impossible.items():
            yield Answer(self._store_record(by_id[job_id], not_decoded(reason)), plan.tokens[job_id])
        decoder = plan.decoder
        for step in drive(decoder, self._control, self._emit, lambda request: None, lambda: None):
            for event in step:
                match event:
                    case TokenAdded():
                        self._meter.count_token()
                    case Finished(id=job_id, free=ArmResult() as free):
                        job = by_id[job_id]
                        yield Answer(self._store_record(job, self._recorder.reply(free, job)), plan.tokens[job_id])
                    case BatchHalved():
                        self._emit(halved_remark(event))
            self._meter.send_if_due(decoder.in_flight)
        self._meter.send(decoder.in_flight)

    def _store_record(self, job: Job, free: Reply) -> Record:
        record = self._recorder.record(job, free, not_decoded(_FREE_ONLY))
        self._store.append(record)
        self._meter.done += 1
        return record
