"""A run folder as the screens show runs: read in batches, full records only on demand. Does not import Textual."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import BadInputError
from engine.protocol.events import Loading, ModelReady, RunStarted
from engine.records import Record
from engine.runs.following import follow
from engine.runs.job_facts import JobFacts
from engine.runs.listing import trials_of
from engine.runs.reading import RunFolder
from engine.runs.run_manifest import Manifest
from engine.runs.store import RECORDS
from engine.runs.summaries import Summary, SummaryReader, describe_losses, without_collector
from engine.text import plural
from tui.state.run import RunState
from tui.state.task import OVER, Phase

REDRAW_SECONDS = 0.5  # while a run is read for the first time
_FILE = 1 << 48  # bytes, more than any file has: a job's place is this times the file's number, plus the offset in it


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """What has been read of a run."""

    summaries: list[Summary]
    trial: bool = False
    """Whether they belong to a trial."""
    phase: Phase | None = None
    """The phase of the run by now, None while it is not known."""
    remarks: tuple[str, ...] = ()
    failure: str | None = None


class OpenedRun:
    """A run folder and its state: iterate over `read` in a thread, and `apply` each batch to the state.

    The jobs of trials, which have folders of their own, come after those of the run. Raises BadInputError if the
    records cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = [RunFolder(folder)]  # the run, then its trials
        self._listed = 0
        self._drawn = 0.0
        self.state = _state(self._files[0])
        self.state.fetch = self._fetch

    def read(self) -> Iterator[RecordBatch]:
        """Yield all jobs, those that an engine still adds included; at last the run's end. Sleeps in between."""
        try:
            yield from self._read()
        except OSError as error:
            yield RecordBatch([], phase=Phase.FAILED, failure=f"{RECORDS} cannot be read ({error.strerror}).")

    def _read(self) -> Iterator[RecordBatch]:
        reader = SummaryReader(self.folder)
        for batch in follow(self.folder, reader):
            yield RecordBatch(batch, phase=None if batch else Phase.RUNNING)
        remarks = describe_losses(reader)
        for folder in trials_of(self.folder):
            remarks += yield from self._read_trial(folder)
        self._files[0] = RunFolder(self.folder)  # it may have ended since
        yield RecordBatch([], phase=_phase(self._files[0].manifest), remarks=tuple(remarks))

    def _read_trial(self, folder: Path) -> Generator[RecordBatch, None, list[str]]:
        try:
            run = RunFolder(folder)
        except BadInputError as error:
            return [f"A trial is left out. {error}"]
        first = len(self._files) * _FILE
        self._files.append(run)
        reader = SummaryReader(folder)
        for batch in reader.batches():
            yield RecordBatch([(info, _with_offset(facts, first)) for info, facts in batch], trial=True)
        return [f"Of the trial {folder.name}: {words}" for words in describe_losses(reader)]

    def apply(self, batch: RecordBatch) -> None:
        """Add a batch to the state."""
        state = self.state
        with without_collector():
            state.add_finished(batch.summaries, batch.trial)
        if not batch.trial:
            self._listed += len(batch.summaries)
        state.unlisted = max(0, _planned(self._files[0].manifest) - self._listed)
        state.remarks += batch.remarks
        changed = bool(batch.summaries or batch.remarks)
        if batch.failure is not None:
            state.fail(batch.failure)
        elif batch.phase is not None and batch.phase is not state.phase:
            state.phase, changed = batch.phase, True
            manifest = self._files[0].manifest
            state.seconds = _seconds(manifest) if batch.phase in OVER else None
            state.since = _since(manifest) or state.since
        now = time.monotonic()
        # An idle screen writes nothing; and drawing each batch would take the time that reading needs.
        if changed and (state.phase is not Phase.LOADING or now - self._drawn > REDRAW_SECONDS):
            self._drawn = now
            state.revision += 1

    def _fetch(self, place: int) -> Record:
        file, place = divmod(place, _FILE)
        return self._files[file].record_at(place)


def _with_offset(facts: JobFacts, first: int) -> JobFacts:
    """The facts of a job with its place counted from the first file: its own file begins at `first`."""
    assert facts.place is not None
    return JobFacts(facts.free, facts.constrained, facts.agree, first + facts.place)


def _state(run: RunFolder) -> RunState:
    """The state of a run by its manifest, before its records have been read."""
    manifest = run.manifest
    state = RunState(Path(manifest.suite_file or run.folder.name), run.folder, phase=Phase.LOADING)
    state.loading = Loading("reading the records")
    suite, model = manifest.suite or run.folder.name, manifest.model or "?"
    adapter = manifest.adapter.name if manifest.adapter else None
    state.started = RunStarted(run.folder, suite, model, (), manifest.constrained_error, adapter=adapter)
    state.model = ModelReady(model, manifest.device or "?", manifest.dtype or "?", 0.0)
    state.remarks = _remarks(run)
    state.unlisted = _planned(manifest)
    return state


def _remarks(run: RunFolder) -> list[str]:
    manifest = run.manifest
    remarks = [f"{run.manifest_error}: what was run is not known."] if run.manifest_error else []
    if manifest.cancelled:
        remarks.append(f"{plural(manifest.cancelled, 'job')} of this run were cancelled and are not listed.")
    for grammar in manifest.grammars:
        if grammar.error and not manifest.constrained_error:
            remarks.append(f"No constrained arm for {', '.join(grammar.prompts)}: {grammar.error}")
        remarks += [
            f"The grammar does not enforce {item.keyword!r} at {item.pointer or '/'}; the judge checks it."
            for item in grammar.unenforced
        ]
    return remarks + (manifest.adapter.remarks if manifest.adapter else [])


def _planned(manifest: Manifest) -> int:
    """How many jobs a run planned; 0 if the manifest does not say."""
    return max(0, (manifest.jobs or 0) - (manifest.cancelled or 0))


def _phase(manifest: Manifest) -> Phase:
    """How a run has ended: an interrupted one has stopped, too."""
    return Phase.FINISHED if manifest.ended is not None and not manifest.stopped else Phase.STOPPED


def _since(manifest: Manifest) -> float | None:
    """When a run began, by the clock of `EngineTask.since`."""
    began = _time(manifest.started)
    return time.monotonic() - (datetime.now(UTC) - began).total_seconds() if began is not None else None


def _seconds(manifest: Manifest) -> float | None:
    """How long the run took; None if the manifest does not say, or if the clock was set back."""
    began, ended = _time(manifest.started), _time(manifest.ended)
    return (ended - began).total_seconds() if began is not None and ended is not None and ended >= began else None


def _time(text: str | None) -> datetime | None:
    """A time with its zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
