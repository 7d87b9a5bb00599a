"""A model kept ready, here or on a server, and the runs and searches made with it."""

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
from engine.running.describe import counts_of, describe_run, now
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
    """Runs suites on one model. Events are told through `emit`, in order; a record is on disk before it is told."""

    def __init__(self, spec: ModelSpec | ServerSpec, out: Path, emit: Emit, log: Path | None = None) -> None:
        """out: the folder of the runs. log: where this process tells of its troubles, for others to find."""
        self._spec, self._out, self._emit, self._log = spec, out, emit, log
        self._backend: Backend[Any] | None = None

    def run(self, order: StartRun | StartTrial, control: Control) -> None:
        """Run a suite, or try something beside a run, to the end or until `control` stops it.

        Raises BadInputError (suite, model, output folder, a run that cannot be resumed) and EngineError (memory, disk).
        """
        what = resolve(order)
        prepare(self._out)
        with locked(what.resume) if what.resume is not None else nullcontext() as lock:
            self._run(what, order.batch, control, lock)

    def _run(self, what: RunPlan, batch: int | None, control: Control, lock: BaseFileLock | None) -> None:
        """lock: of the run that is resumed, whose records nobody adds to meanwhile."""
        backend = self._ready()
        seconds = what.suite.generation.compile_seconds
        adapter = backend.use_adapter(what.adapter)
        _refuse_if_stopped(control)
        constraints = Constraints(what.jobs, lambda schema: backend.grammar(schema, seconds, self._emit, what.grammar))
        _refuse_if_stopped(control)
        had = {record.id for record in _records_of(what)}
        missing = [job for job in what.jobs if job.id not in had]
        plan = backend.plan(missing, constraints.of, what.suite.generation, batch)
        store = self._store(what, describe_run(what, backend, adapter, constraints, plan.slots), lock)
        self._emit(ManifestWritten(store.folder, store.manifest))
        self._emit(_started(what, store.folder, backend.name, adapter, constraints, plan))
        meter = Meter(len(what.jobs), self._emit)
        run = RunLoop(what.suite, what.jobs, plan, constraints, store, meter, self._emit)
        try:
            run.replay(_records_of(what))
            run.decode(control)
        finally:
            plan.decoder.close()
            stopped = meter.done < meter.total
            cancelled = len(what.jobs) - meter.total
            rates = counts_of(run.rates, run.clusters)
            store.close(ended=now(), done=meter.done, cancelled=cancelled, stopped=stopped, rates=rates)
        self._emit(ManifestWritten(store.folder, store.manifest))
        self._emit(RunFinished(store.folder, meter.done, meter.total, stopped, meter.seconds))

    def search(self, order: StartSearch, control: Control) -> None:
        """Look for a suite's best plain prompt, to the end or until `control` stops it. Raises as `run` does."""
        search(order, control, self._base, self._out, self._emit, self._log)

    def _store(self, what: RunPlan, manifest: Mapping[str, Any], lock: BaseFileLock | None) -> RunStore:
        if what.resume is None or lock is None:
            answers = "-".join(filter(None, (manifest["model"], what.adapter)))
            return create_run(self._out, what.suite.name, answers, manifest, log=self._log)
        return reopen_run(what.resume, resumed_manifest(what.resume, manifest), lock, self._log)

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
    """Whichever is asked for; the libraries of the other are not imported."""
    if isinstance(spec, ServerSpec):
        from engine.servers.backend import ServerBackend

        return ServerBackend.connect(spec, emit)
    from engine.decoding.backend import LocalBackend
    from engine.models.model import load_model

    return LocalBackend(load_model(spec, emit))


def _refuse_if_stopped(control: Control) -> None:
    """Loading takes long enough to change one's mind, and a run without a job is not worth a folder."""
    if control.stopped.is_set():
        raise EngineError("The run was stopped before its first job.")


def _records_of(what: RunPlan) -> Iterator[Record]:
    """What a run that is resumed has of these jobs already, one a job; read anew each time, as there may be many."""
    if what.resume is None:
        return
    wanted = {job.id for job in what.jobs}
    for _, record in RunFolder(what.resume).records():
        if record.id in wanted:
            wanted.remove(record.id)
            yield record


def _started(
    what: RunPlan, folder: Path, model: str, adapter: AdapterInUse | None, constraints: Constraints[Any], plan: Plan
) -> RunStarted:
    remarks = (*plan.remarks, *constraints.remarks, *(adapter.remarks if adapter else ()))
    infos = tuple(_info(job) for job in what.jobs)
    return RunStarted(folder, what.suite.name, model, infos, constraints.error, remarks, what.trial_of, what.adapter)


def _info(job: Job) -> JobInfo:
    return JobInfo(job.id, job.prompt, job.case, job.variation, job.repeat, job.input, job.expected, job.tags)
