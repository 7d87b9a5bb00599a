"""A model kept loaded, and the runs and searches made with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from engine.constraints import Constraints
from engine.control import Control
from engine.decoding.backend import LocalBackend
from engine.decoding.model import ModelSpec, load_model
from engine.errors import EngineError
from engine.events import (
    Event,
    JobInfo,
    ModelReady,
    RunFinished,
    RunStarted,
    StartRun,
    StartSearch,
    StartTrial,
)
from engine.jobs import Job
from engine.orders import Ordered, ordered
from engine.records import Record
from engine.running import Running
from engine.runs.manifest import counts_of, describe_run, now, resumed
from engine.runs.reading import RunFolder
from engine.runs.store import RunStore, create_run, prepare, reopen_run
from engine.search.searching import search
from engine.streaming import Meter

Emit = Callable[[Event], None]
_ONE_AT_A_TIME = (
    "Layers of this model keep other things than the keys and values of all tokens (windows, states): "
    "its jobs are decoded one at a time."
)


class Session:
    """Runs suites on one model. Events are told through `emit`, in order; a record is on disk before it is told."""

    def __init__(self, spec: ModelSpec, out: Path, emit: Emit, log: Path | None = None) -> None:
        """out: the folder of the runs. log: where this process tells of its troubles, for others to find."""
        self._spec, self._out, self._emit, self._log = spec, out, emit, log
        self._backend: LocalBackend | None = None

    def run(self, order: StartRun | StartTrial, control: Control) -> None:
        """Run a suite, or try something beside a run, to the end or until `control` stops it.

        Raises BadInputError (suite, model, output folder, a run that cannot be resumed) and EngineError (memory, disk).
        """
        what = ordered(order)
        prepare(self._out)
        backend = self._ready()
        seconds = what.suite.generation.compile_seconds
        _refuse_if_stopped(control)
        constraints = Constraints(what.jobs, lambda schema: backend.grammar(schema, seconds, self._emit, order.grammar))
        _refuse_if_stopped(control)
        finished = _finished(what)
        missing = [job for job in what.jobs if job.id not in finished]
        plan = backend.plan(missing, constraints.of, what.suite.generation, order.batch)
        store = self._store(what, backend, constraints, plan.slots)
        remarks = constraints.remarks if plan.slots else (_ONE_AT_A_TIME, *constraints.remarks)
        infos = tuple(_info(job) for job in what.jobs)
        name = backend.model.name
        self._emit(RunStarted(store.folder, what.suite.name, name, infos, constraints.error, remarks, what.trial_of))
        meter = Meter(len(what.jobs), self._emit)
        run = Running(what.suite, what.jobs, plan, constraints, store, meter, self._emit)
        try:
            for record in finished.values():
                run.tell_again(record)
            run.decode(control)
        finally:
            stopped = meter.done < meter.total
            cancelled = len(what.jobs) - meter.total
            rates = counts_of(run.rates, run.clusters)
            store.close(ended=now(), done=meter.done, cancelled=cancelled, stopped=stopped, rates=rates)
        self._emit(RunFinished(store.folder, meter.done, meter.total, stopped, meter.seconds))

    def search(self, order: StartSearch, control: Control) -> None:
        """Look for a suite's best plain prompt, to the end or until `control` stops it. Raises as `run` does."""
        search(order, control, self._ready, self._out, self._emit, self._log)

    def _store(self, what: Ordered, backend: LocalBackend, constraints: Constraints, slots: int | None) -> RunStore:
        model, suite = backend.model, what.suite
        manifest = describe_run(suite, model, len(what.jobs), what.selection, what.trial_of, constraints, slots)
        if what.resume is not None:
            return reopen_run(what.resume, resumed(what.resume, manifest), self._log)
        return create_run(self._out, suite.name, model.name, manifest, log=self._log)

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


def _finished(what: Ordered) -> dict[str, Record]:
    """The records that a run to be resumed has of these jobs already, by job."""
    if what.resume is None:
        return {}
    wanted = {job.id for job in what.jobs}
    return {record.id: record for _, record in RunFolder(what.resume).records() if record.id in wanted}


def _info(job: Job) -> JobInfo:
    return JobInfo(job.id, job.prompt, job.case, job.variation, job.repeat, job.input, job.expected, job.tags)
