"""A loaded model, here or on a server, and the runs and searches made with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import BaseFileLock

from engine.backends import AdapterInUse, Backend, Plan
from engine.errors import EngineError
from engine.protocol.commands import StartRun, StartSearch, StartTrial
from engine.protocol.events import Event, JobInfo, ManifestWritten, ModelReady, RunFinished, RunStarted
from engine.records import Record
from engine.running.constraints import Constraints
from engine.running.control import Control
from engine.running.describe import describe_run, now, rates_for_manifest
from engine.running.orders import RunPlan, resolve
from engine.running.run import RunLoop
from engine.running.streaming import Meter
from engine.runs.reading import RunFolder
from engine.runs.resuming import resumed_manifest
from engine.runs.store import RunStore, create_run, locked, prepare, reopen_run
from engine.search.searching import search
from engine.servers.spec import ServerSpec
from engine.suites.jobs import Job

if TYPE_CHECKING:
    from engine.models.model import ModelSpec

Emit = Callable[[Event], None]


class Session:
    """Runs suites on one model, and emits events in order; a record is on disk before its event."""

    def __init__(self, spec: ModelSpec | ServerSpec, out: Path, emit: Emit, log: Path | None = None) -> None:
        """out: the folder of the runs. log: this process's log file."""
        self._spec, self._out, self._emit, self._log = spec, out, emit, log
        self._backend: Backend[Any] | None = None

    def run(self, command: StartRun | StartTrial, control: Control) -> None:
        """Carry out a run or a trial, to the end or until `control` stops it.

        Raises BadInputError (suite, model, output folder, a run that cannot be resumed) and EngineError (memory, disk).
        """
        run = resolve(command)
        prepare(self._out)
        with locked(run.resume) if run.resume is not None else nullcontext() as lock:
            self._run(run, command.batch, control, lock)

    def _run(self, run: RunPlan, batch: int | None, control: Control, lock: BaseFileLock | None) -> None:
        """lock: held on the run that is resumed, so that no other process adds records to it."""
        backend = self._ready()
        seconds = run.suite.generation.compile_seconds
        adapter = backend.use_adapter(run.adapter)
        _refuse_if_stopped(control)
        constraints = Constraints(run.jobs, lambda schema: backend.grammar(schema, seconds, self._emit, run.grammar))
        _refuse_if_stopped(control)
        finished = {record.id for record in _records_of(run)}
        missing = [job for job in run.jobs if job.id not in finished]
        plan = backend.plan(missing, constraints.of, run.suite.generation, batch)
        store = self._store(run, describe_run(run, backend, adapter, constraints, plan.slots), lock)
        self._emit(ManifestWritten(store.folder, store.manifest))
        self._emit(_started(run, store.folder, backend.name, adapter, constraints, plan))
        meter = Meter(len(run.jobs), self._emit)
        loop = RunLoop(run.suite, run.jobs, plan, constraints, store, meter, self._emit)
        try:
            loop.replay(_records_of(run))
            loop.decode(control)
        finally:
            plan.decoder.close()
            stopped = meter.done < meter.total
            cancelled = len(run.jobs) - meter.total
            rates = rates_for_manifest(loop.rates, loop.clusters)
            store.close(ended=now(), done=meter.done, cancelled=cancelled, stopped=stopped, rates=rates)
        self._emit(ManifestWritten(store.folder, store.manifest))
        self._emit(RunFinished(store.folder, meter.done, meter.total, stopped, meter.seconds))

    def search(self, command: StartSearch, control: Control) -> None:
        """Search for a suite's best plain prompt, to the end or until `control` stops it. Raises as `run` does."""
        search(command, control, self._base, self._out, self._emit, self._log)

    def _store(self, run: RunPlan, manifest: Mapping[str, Any], lock: BaseFileLock | None) -> RunStore:
        if run.resume is None or lock is None:
            model = "-".join(filter(None, (manifest["model"], run.adapter)))
            return create_run(self._out, run.suite.name, model, manifest, log=self._log)
        return reopen_run(run.resume, resumed_manifest(run.resume, manifest), lock, self._log)

    def _ready(self) -> Backend[Any]:
        self._backend = self._backend or self._load()
        return self._backend

    def _base(self) -> Backend[Any]:
        backend = self._ready()
        backend.use_adapter(None)
        return backend

    def _load(self) -> Backend[Any]:
        started = time.monotonic()
        backend = _open(self._spec, self._emit)
        self._emit(ModelReady(backend.name, backend.device, backend.precision, time.monotonic() - started))
        return backend


def _open(spec: ModelSpec | ServerSpec, emit: Emit) -> Backend[Any]:
    """The backend for a model here or on a server; the libraries of the other kind are not imported."""
    if isinstance(spec, ServerSpec):
        from engine.servers.backend import ServerBackend

        return ServerBackend.connect(spec, emit)
    from engine.decoding.backend import LocalBackend
    from engine.models.model import load_model

    return LocalBackend(load_model(spec, emit))


def _refuse_if_stopped(control: Control) -> None:
    """Raises EngineError for a run that was stopped while the model loaded, so that it leaves no empty folder."""
    if control.stopped.is_set():
        raise EngineError("The run was stopped before its first job.")


def _records_of(run: RunPlan) -> Iterator[Record]:
    """The records that a resumed run has of these jobs, one each; read anew each time, as there may be many."""
    if run.resume is None:
        return
    wanted = {job.id for job in run.jobs}
    for _, record in RunFolder(run.resume).records():
        if record.id in wanted:
            wanted.remove(record.id)
            yield record


def _started(
    run: RunPlan, folder: Path, model: str, adapter: AdapterInUse | None, constraints: Constraints[Any], plan: Plan
) -> RunStarted:
    remarks = (*plan.remarks, *constraints.remarks, *(adapter.remarks if adapter else ()))
    infos = tuple(_info(job) for job in run.jobs)
    return RunStarted(folder, run.suite.name, model, infos, constraints.error, remarks, run.trial_of, run.adapter)


def _info(job: Job) -> JobInfo:
    return JobInfo(job.id, job.prompt, job.case, job.variation, job.repeat, job.input, job.expected, job.tags)
