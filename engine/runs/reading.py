"""Finds a run and reads it as it is: unfinished, torn or edited. What cannot be read is counted, never an end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from engine.errors import BadInputError
from engine.protocol.events import GrammarKind
from engine.records import Record
from engine.runs.store import MANIFEST, RECORDS, SEARCH
from engine.suites.faults import did_you_mean, printable

LAST = "last"
_RECORD: TypeAdapter[Record] = TypeAdapter(Record)


class PromptText(BaseModel):
    """A prompt as the manifest has it. about, source: what the library says of a technique, "" of another prompt."""

    name: str
    system: str | None = None
    user: str = ""
    prefill: str | None = None
    examples: list[Any] = []
    think: dict[str, Any] | None = None
    chat_template_kwargs: dict[str, Any] = {}
    about: str = ""
    source: str = ""


class Unenforced(BaseModel):
    """A keyword of the schema that the grammar leaves to the judge, and its place in the schema."""

    keyword: str
    pointer: str = ""


class GrammarFacts(BaseModel):
    """The grammar of some prompts' schema: which library made it, or why there is none."""

    prompts: list[str] = []
    json_schema: Any = Field(default=None, alias="schema")
    backend: str | None = None
    unenforced: list[Unenforced] = []
    error: str | None = None


class AdapterFacts(BaseModel):
    """The adapter that answered. base: the model that it says it was trained on. live: see `adapters.AdapterInUse`."""

    model_config = ConfigDict(extra="allow")

    name: str
    path: str | None = None
    sha256: str | None = None
    base: str | None = None
    live: float | None = None
    remarks: list[str] = []


class Manifest(BaseModel):
    """What the manifest says of the run. Older runs lack some of it, newer ones have more: that is kept too.

    suite_text: of the suite's file. prompts_sha256: by prompt (see `manifest.prompt_sha256`). model_sha256,
    tokenizer_sha256: of all the files together (see `fingerprints.combined`). selection: which of the suite's jobs (see
    `orders.Ordered`). trial_of: the name of the run that it is a trial beside. resumed: when it was gone on with.
    rates: see `manifest.counts_of`; of a run that has ended.
    """

    model_config = ConfigDict(extra="allow")

    jsonbreak: str | None = None
    suite: str | None = None
    suite_file: str | None = None
    suite_sha256: str | None = None
    suite_text: str | None = None
    json_schema: Any = Field(default=None, alias="schema")
    prompts: list[PromptText] = []
    prompts_sha256: dict[str, str] = {}
    generation: dict[str, Any] = {}
    model: str | None = None
    model_sha256: str | None = None
    model_files: dict[str, str] | None = None
    tokenizer_sha256: str | None = None
    chat_template_sha256: str | None = None
    adapter: AdapterFacts | None = None
    device: str | None = None
    device_name: str | None = None
    dtype: str | None = None
    attention: str | None = None
    whitespace_pattern: str | None = None
    grammars: list[GrammarFacts] = []
    constrained_error: str | None = None
    batch: int | None = None
    jobs: int | None = None
    versions: dict[str, Any] = {}
    started: str | None = None
    ended: str | None = None
    done: int | None = None
    cancelled: int | None = None
    stopped: bool | None = None
    selection: dict[str, Any] = {}
    grammar: GrammarKind = "auto"
    trial_of: str | None = None
    resumed: list[str] = []
    rates: dict[str, Any] = {}
    command_line: list[str] = []


class RunFolder:
    """A run on disk, as far as it was written when this was made: what is appended later is not looked at.

    manifest_error: why the manifest says nothing, None where it was read. torn: the last line of the records was cut
    off, as a crash leaves it. unreadable: the numbers of the other lines that are not records, from 1.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._records = folder / RECORDS
        self.manifest, self.manifest_error = _read_manifest(folder / MANIFEST)
        self.torn = False
        self.unreadable: list[int] = []
        try:
            self._size = self._records.stat().st_size if self._records.exists() else 0
            if self._size:
                self._records.open("rb").close()
        except OSError as error:
            raise BadInputError(f"{printable(str(self._records))}: cannot be read ({error.strerror}).") from error

    def records(self) -> Iterator[tuple[int, Record]]:
        """Every record with its place in the file, for `record_at`; sets `torn` and `unreadable`."""
        self.torn, self.unreadable = False, []
        if not self._size:
            return
        place = 0
        with self._records.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if place >= self._size:
                    break
                record = self._record(number, line)
                if record is not None:
                    yield place, record
                place += len(line)

    def record_at(self, place: int) -> Record:
        """The record at a place that `records` gave."""
        with self._records.open("rb") as lines:
            lines.seek(place)
            return _RECORD.validate_json(lines.readline())

    def _record(self, number: int, line: bytes) -> Record | None:
        if not line.endswith(b"\n"):
            self.torn = True
            return None
        try:
            return _RECORD.validate_json(line)
        except ValidationError:
            self.unreadable.append(number)
            return None


def find_run(run: str, runs: Path) -> RunFolder:
    """The run that is meant: a folder, the name of one in `runs`, or "last", the newest there.

    Raises BadInputError where there is none.
    """
    if run == LAST:
        return RunFolder(_newest(runs))
    for folder in (Path(run), runs / run):
        if _is_run(folder):
            return RunFolder(folder)
    for folder in (Path(run), runs / run):
        if _has(folder, SEARCH):
            remedy = f"what it found is in its {SEARCH}; name the folder of a run"
            raise BadInputError(printable(f"{run}: this is the folder of a search; {remedy}."))
    if Path(run).is_dir():
        raise BadInputError(f"{printable(run)}: there is no {RECORDS} or {MANIFEST} in it; name the folder of a run.")
    names = [folder.name for folder in _runs_in(runs)]
    known = did_you_mean(run, names) if names else f"and {runs} holds no runs; name its folder with --runs"
    raise BadInputError(printable(f"{run}: there is no such run; {known}"))


def _newest(runs: Path) -> Path:
    found = _runs_in(runs)
    if not found:
        raise BadInputError(printable(f"{runs}: there are no runs here; name their folder with --runs."))
    return max(found, key=lambda folder: folder.name)  # names begin with the time


def _runs_in(runs: Path) -> list[Path]:
    return [folder for folder in runs.iterdir() if _is_run(folder)] if runs.is_dir() else []


def _is_run(folder: Path) -> bool:
    return (_has(folder, RECORDS) or _has(folder, MANIFEST)) and not _has(folder, SEARCH)


def _has(folder: Path, name: str) -> bool:
    try:
        return (folder / name).is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a null character
        return False


def _read_manifest(file: Path) -> tuple[Manifest, str | None]:
    try:
        return Manifest.model_validate_json(file.read_bytes()), None
    except FileNotFoundError:
        return Manifest(), f"There is no {MANIFEST}"
    except OSError as error:
        return Manifest(), f"{MANIFEST} cannot be read ({error.strerror})"
    except ValidationError:
        return Manifest(), f"{MANIFEST} is not a manifest of jsonbreak"
