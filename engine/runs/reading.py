"""Finds a run and reads it as it is: unfinished, torn or edited. What cannot be read is counted, never an end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from engine.errors import BadInputError
from engine.records import Record
from engine.runs.run_manifest import _read_manifest
from engine.runs.store import MANIFEST, RECORDS, SEARCH
from engine.text import did_you_mean, printable

LAST = "last"
_RECORD: TypeAdapter[Record] = TypeAdapter(Record)


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
