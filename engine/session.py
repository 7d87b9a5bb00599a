"""A model kept loaded, and the runs made with it: suite → jobs → decoder → judge → disk → events."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.constraints import Constraints
from engine.control import Control
from engine.decoding.backend import LocalBackend, Plan
from engine.decoding.lanes import Begun, Ended, Grown, Happening, Parted, Shrunk
from engine.decoding.model import ModelSpec, load_model
from engine.decoding.placement import out_of_memory
from engine.errors import EngineError
from engine.events import (
    Cancel,
    Event,
    Forked,
    JobCancelled,
    JobFinished,
    JobInfo,
    JobStarted,
    ModelReady,
    Paused,
    Prefer,
    Remark,
    RunFinished,
    RunStarted,
    StartRun,
    StartSearch,
)
from engine.jobs import Job, jobs_of
from engine.recording import Recorder, not_decoded
from engine.records import Fork, Reply
from engine.runs.manifest import describe, now
from engine.runs.store import RunStore, prepare
from engine.search.searching import search
from engine.streaming import Meter, TextBatches
from engine.suites import Suite, load_suite
from engine.watching import Watch

Emit = Callable[[Event], None]
_NO_GRAMMAR = "There is no constrained arm."
_ONE_AT_A_TIME = (
    "Layers of this model keep other things than the keys and values of all tokens (windows, states): "
    "its jobs are decoded one at a time."
)


class Session:
    """Runs suites on one model. Events are told through `emit`, in order; a record is on disk before it is told."""

    def __init__(self, spec: ModelSpec, out: Path, emit: Emit) -> None:
        self._spec, self._out, self._emit = spec, out, emit
        self._backend: LocalBackend | None = None

    def run(self, order: StartRun, control: Control) -> None:
        """Run a suite to its end or until `control` stops it.

        Raises BadInputError (suite, model, output folder) and EngineError (memory, disk).
        """
        suite = load_suite(order.suite)
        jobs = jobs_of(suite, order.prompts, order.cases, order.limit)
        prepare(self._out)
        backend = self._ready()
        seconds = suite.generation.compile_seconds
        _refuse_if_stopped(control)
        constraints = Constraints(jobs, lambda schema: backend.grammar(schema, seconds, self._emit, order.grammar))
        _refuse_if_stopped(control)
        plan = backend.plan(jobs, constraints.of, suite.generation, order.batch)
        manifest = describe(suite, backend.model, len(jobs), constraints, plan.slots)
        store = RunStore(self._out, suite.name, backend.model.name, manifest)
        remarks = constraints.remarks if plan.slots else (_ONE_AT_A_TIME, *constraints.remarks)
        infos = tuple(_info(job) for job in jobs)
        self._emit(RunStarted(store.folder, suite.name, backend.model.name, infos, constraints.error, remarks))
        meter = Meter(len(jobs), self._emit)
        run = _Run(suite, jobs, plan, constraints, store, meter, self._emit)
        try:
            run.decode(control)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            raise EngineError(
                "The memory does not hold one job, neither its prompt nor its reply; what was finished is kept."
            ) from error
        finally:
            stopped = meter.done < meter.total
            cancelled = len(jobs) - meter.total
            store.close(ended=now(), done=meter.done, cancelled=cancelled, stopped=stopped)
        self._emit(RunFinished(store.folder, meter.done, meter.total, stopped, meter.seconds))

    def search(self, order: StartSearch, control: Control) -> None:
        """Look for a suite's best plain prompt, to the end or until `control` stops it. Raises as `run` does."""
        search(order, control, self._ready, self._out, self._emit)

    def _ready(self) -> LocalBackend:
        self._backend = self._backend or self._load()
        return self._backend

    def _load(self) -> LocalBackend:
        started = time.monotonic()
        model = load_model(self._spec, self._emit)
        self._emit(ModelReady(model.name, str(model.device), model.dtype_name, time.monotonic() - started))
        return LocalBackend(model)


def _refuse_if_stopped(control: Control) -> None:
    """Loading takes long enough to change one's mind, and a run without a job is not worth a folder."""
    if control.stopped.is_set():
        raise EngineError("The run was stopped before its first job.")


def _info(job: Job) -> JobInfo:
    return JobInfo(job.id, job.prompt, job.case, job.variation, job.repeat, job.input, job.expected, job.tags)


class _Run:
    """One suite on its way through the decoder."""

    def __init__(
        self,
        suite: Suite,
        jobs: list[Job],
        plan: Plan,
        constraints: Constraints,
        store: RunStore,
        meter: Meter,
        emit: Emit,
    ) -> None:
        self._plan, self._constraints = plan, constraints
        self._jobs: Mapping[str, Job] = {job.id: job for job in jobs}
        self._recorder = Recorder(suite.name, suite.compare)
        self._store, self._meter, self._emit = store, meter, emit
        self._text = TextBatches(emit)
        self._watch = Watch()

    def decode(self, control: Control) -> None:
        """Step the decoder until it is done or stopped."""
        for job_id, reason in self._plan.impossible.items():
            self._finish(self._jobs[job_id], not_decoded(reason), not_decoded(reason), None)
        decoder = self._plan.decoder
        while decoder.busy and not control.stopped.is_set():
            for wish in control.take_wishes():
                self._grant(wish)
            if control.paused:
                self._stand_still(control)
                continue
            for happening in decoder.step():
                self._tell(happening)
            self._text.send_if_due()
            self._meter.send_if_due(decoder.in_flight)
        self._text.send()
        self._meter.send(decoder.in_flight)

    def _grant(self, wish: Prefer | Cancel) -> None:
        if isinstance(wish, Prefer):
            self._plan.decoder.prefer(wish.job)
        elif self._plan.decoder.cancel(wish.job):
            self._text.forget_job(wish.job)
            self._watch.forget(wish.job)
            self._meter.total -= 1
            self._emit(JobCancelled(wish.job))

    def _stand_still(self, control: Control) -> None:
        self._text.send()
        self._emit(Paused(True))
        while control.paused:
            control.wait()
            for wish in control.take_wishes():
                self._grant(wish)
        self._emit(Paused(False))

    def _tell(self, happening: Happening) -> None:
        match happening:
            case Begun(id=job_id):
                self._text.forget_job(job_id)
                self._emit(JobStarted(job_id, self._jobs[job_id].prefill))
                for broke in self._watch.begin(self._jobs[job_id]):
                    self._emit(broke)
            case Grown(id=job_id, arm=arm, text=text):
                self._meter.count_token()
                self._text.add(job_id, arm, text)
                for broke in self._watch.grow(job_id, arm, text):
                    self._text.send_job(job_id)
                    self._emit(broke)
            case Parted(id=job_id, fork=fork):
                self._text.send_job(job_id)
                self._emit(Forked(job_id, fork))
            case Ended():
                self._text.send_job(happening.id)
                self._watch.forget(happening.id)
                self._judge_and_finish(happening)
            case Shrunk(slots=slots, jobs=jobs):
                rows = f"{slots} row{'s' * (slots > 1)}"
                self._emit(Remark(f"Memory ran out: {jobs} jobs start again, with at most {rows} at once from now on."))

    def _judge_and_finish(self, ended: Ended) -> None:
        job = self._jobs[ended.id]
        free = self._recorder.reply(ended.free, job)
        if ended.constrained is not None:
            constrained = self._recorder.reply(ended.constrained, job)
        else:
            reason = ended.error or self._plan.unconstrained.get(job.id) or self._constraints.reason(job)
            constrained = not_decoded(reason or _NO_GRAMMAR)
        self._finish(job, free, constrained, ended.fork)

    def _finish(self, job: Job, free: Reply, constrained: Reply, fork: Fork | None) -> None:
        record = self._recorder.record(job, free, constrained, fork)
        self._store.append(record)
        self._meter.done += 1
        self._emit(JobFinished(record))
