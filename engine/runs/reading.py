"""Finds a run and reads it as it is: unfinished, torn or edited. What cannot be read is counted, not an error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from engine.errors import BadInputError
from engine.records import Record
from engine.runs.record_lines import RECORD, RecordLines
from engine.runs.run_manifest import Manifest, read_manifest
from engine.runs.store import MANIFEST, RECORDS, SEARCH
from engine.text import did_you_mean, printable

LAST = "last"


class RunFolder:
    """A run on disk, as far as it was written when this was made: what is appended later is not read."""

    manifest: Manifest
    manifest_error: str | None
    """Why the manifest could not be read; it is empty then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / RECORDS
        self.manifest, self.manifest_error = read_manifest(folder)
        try:
            self._size = self._file.stat().st_size if self._file.exists() else 0
            if self._size:
                self._file.open("rb").close()
        except OSError as error:
            raise BadInputError(f"{printable(str(self._file))}: cannot be read ({error.strerror}).") from error
        self._lines = self._from_start()

    @property
    def torn(self) -> bool:
        """Whether a crash cut off the last line, as far as `records` has come."""
        return self._lines.torn

    @property
    def unreadable(self) -> list[int]:
        """The numbers of the lines that are not records, from 1, as far as `records` has come."""
        return self._lines.unreadable

    def records(self) -> Iterator[tuple[int, Record]]:
        """Every record with its place in the file, for `record_at`."""
        self._lines = self._from_start()
        if self._size:
            yield from self._lines.read()

    def record_at(self, place: int) -> Record:
        """The record at a place that `records` gave."""
        with self._file.open("rb") as lines:
            lines.seek(place)
            return RECORD.validate_json(lines.readline())

    def _from_start(self) -> RecordLines[Record]:
        return RecordLines(self._file, RECORD.validate_json, (ValidationError,), self._size)


def find_run(run: str, runs: Path) -> RunFolder:
    """A run by its folder, by its name in `runs`, or "last" for the newest there.

    Raises BadInputError if there is none.
    """
    if run == LAST:
        return RunFolder(_newest(runs))
    for folder in (Path(run), runs / run):
        if is_run(folder):
            return RunFolder(folder)
    for folder in (Path(run), runs / run):
        if _has(folder, SEARCH):
            remedy = f"what it found is in its {SEARCH}; name the folder of a run"
            raise BadInputError(printable(f"{run}: this is the folder of a search; {remedy}."))
    if Path(run).is_dir():
        raise BadInputError(f"{printable(run)}: there is no {RECORDS} or {MANIFEST} in it; name the folder of a run.")
    names = [folder.name for folder in _runs_in(runs)]
    known = did_you_mean(run, names) if names else f"nor is there any in {runs}: name the folder of a run"
    raise BadInputError(printable(f"{run}: there is no such run; {known}"))


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run, in whatever state; that of a search is none."""
    return (_has(folder, RECORDS) or _has(folder, MANIFEST)) and not _has(folder, SEARCH)


def _newest(runs: Path) -> Path:
    folders = _runs_in(runs)
    if not folders:
        raise BadInputError(printable(f"{runs}: there are no runs here; name the folder of a run."))
    return max(folders, key=lambda folder: folder.name)  # names begin with the time


def _runs_in(runs: Path) -> list[Path]:
    return [folder for folder in runs.iterdir() if is_run(folder)] if runs.is_dir() else []


def _has(folder: Path, name: str) -> bool:
    try:
        return (folder / name).is_file()
    except (OSError, ValueError):  # a name that is too long, or contains a null character
        return False
