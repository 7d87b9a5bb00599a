"""The loop of one run: jobs → decoder → judge → disk → events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from engine.backends import ArmResult, ArmsForked, BatchHalved, DecoderEvent, Finished, Plan, Started, TokenAdded
from engine.protocol.commands import Cancel, Prefer
from engine.protocol.events import Event, Forked, JobCancelled, JobFinished, JobStarted, Remark
from engine.records import ARMS, Arm, Fork, Record, Reply
from engine.running.break_watcher import BreakWatcher
from engine.running.constraints import Constraints
from engine.running.control import Control, drive
from engine.running.recorder import Recorder, not_decoded
from engine.running.streaming import Meter, TextBatches
from engine.runs.rates import ArmRates
from engine.runs.store import RunStore
from engine.statistics import Clusters
from engine.suites.jobs import Job
from engine.suites.suite import Suite
from engine.text import plural

_NO_GRAMMAR = "There is no constrained arm."


class RunLoop:
    """Decodes the jobs of one run that have no record yet."""

    rates: dict[Arm, ArmRates]
    """Of all records of the run, replayed ones included."""

    clusters: dict[Arm, Clusters]
    """How many judged replies of each arm each case has."""

    def __init__(
        self,
        suite: Suite,
        jobs: Sequence[Job],
        plan: Plan,
        constraints: Constraints[Any],
        store: RunStore,
        meter: Meter,
        emit: Callable[[Event], None],
    ) -> None:
        self._plan, self._constraints = plan, constraints
        self._jobs: Mapping[str, Job] = {job.id: job for job in jobs}
        self._recorder = Recorder(suite.name, suite.compare)
        self._store, self._meter, self._emit = store, meter, emit
        self._text = TextBatches(emit)
        self._breaks = BreakWatcher()
        self.rates = {arm: ArmRates() for arm in ARMS}
        self.clusters = {arm: Clusters() for arm in ARMS}

    def replay(self, records: Iterable[Record]) -> None:
        """Announce the jobs that were finished before the run was interrupted."""
        for record in records:
            self._announce(record)

    def decode(self, control: Control) -> None:
        """Step the decoder until it is done or stopped. Raises EngineError (memory, disk)."""
        for job_id, reason in self._plan.impossible.items():
            self._finish(self._jobs[job_id], not_decoded(reason), not_decoded(reason), None)
        decoder = self._plan.decoder
        for step in drive(decoder, control, self._emit, self._apply_request, self._text.send):
            for event in step:
                self._on_event(event)
            self._text.send_if_due()
            self._meter.send_if_due(decoder.in_flight)
        self._text.send()
        self._meter.send(decoder.in_flight)

    def _apply_request(self, request: Prefer | Cancel) -> None:
        if isinstance(request, Prefer):
            self._plan.decoder.prefer(request.job)
        elif self._plan.decoder.cancel(request.job):
            self._text.forget_job(request.job)
            self._breaks.forget(request.job)
            self._meter.total -= 1
            self._emit(JobCancelled(request.job))

    def _on_event(self, event: DecoderEvent) -> None:
        # Text is batched and events are not, so a job's text is sent before the event that follows it.
        match event:
            case Started(id=job_id):
                self._text.forget_job(job_id)
                self._emit(JobStarted(job_id, self._jobs[job_id].prefill))
                for broke in self._breaks.start(self._jobs[job_id]):
                    self._emit(broke)
            case TokenAdded(id=job_id, arm=arm, text=text):
                self._meter.count_token()
                self._text.add(job_id, arm, text)
                for broke in self._breaks.push(job_id, arm, text):
                    self._text.send_job(job_id)
                    self._emit(broke)
            case ArmsForked(id=job_id, fork=fork):
                self._text.send_job(job_id)
                self._emit(Forked(job_id, fork))
            case Finished():
                self._text.send_job(event.id)
                self._breaks.forget(event.id)
                self._judge_and_finish(event)
            case BatchHalved():
                self._emit(halved_remark(event))

    def _judge_and_finish(self, finished: Finished) -> None:
        job = self._jobs[finished.id]
        unconstrained = self._plan.unconstrained.get(job.id) or self._constraints.reason(job) or _NO_GRAMMAR
        free = self._reply(finished.free, job, finished.free_error or "")
        constrained = self._reply(finished.constrained, job, finished.error or unconstrained)
        self._finish(job, free, constrained, finished.fork)

    def _reply(self, arm: ArmResult | None, job: Job, error: str) -> Reply:
        return not_decoded(error) if arm is None else self._recorder.reply(arm, job)

    def _finish(self, job: Job, free: Reply, constrained: Reply, fork: Fork | None) -> None:
        record = self._recorder.record(job, free, constrained, fork)
        self._store.append(record)
        self._announce(record)

    def _announce(self, record: Record) -> None:
        self._meter.done += 1
        for arm in ARMS:
            verdict = record.reply(arm).verdict
            self.rates[arm].add(verdict)
            if verdict is not None:
                self.clusters[arm].add(record.case)
        self._emit(JobFinished(record))


def halved_remark(event: BatchHalved) -> Remark:
    """A sentence about the smaller batch."""
    rows = plural(event.slots, "row")
    return Remark(f"Memory ran out: {event.jobs} jobs start again, with at most {rows} at once from now on.")
