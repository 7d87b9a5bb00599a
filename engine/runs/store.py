"""The folder of a run: `run.json`, the manifest, and `records.jsonl`, one line a finished job.

That of a search has `search.json` for its manifest.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout
from pydantic import TypeAdapter

from engine.errors import BadInputError, EngineError
from engine.records import Record
from engine.runs import owner as working
from engine.text import printable

MANIFEST, RECORDS, SEARCH, LOCK = "run.json", "records.jsonl", "search.json", ".lock"
_BLOCK = 1 << 16  # bytes
_LAST_BREATH = 5.0  # seconds; a large process that was killed takes a while to be taken apart
_RECORD: TypeAdapter[Record] = TypeAdapter(Record)


class RunStore:
    """Writes one run. A record is on disk, flushed through to the device, when `append` returns.

    Nobody else can write it meanwhile, and others can see who does (engine.runs.owner).
    """

    def __init__(
        self, folder: Path, manifest: Mapping[str, Any], name: str, lock: BaseFileLock, log: Path | None
    ) -> None:
        """Use create_run or reopen_run. name: the manifest's file. log: where this process tells of its troubles."""
        self.folder = folder
        self._manifest, self._name, self._lock = dict(manifest), name, lock
        self._broken = False
        self._write_manifest()
        self._records = (folder / RECORDS).open("ab", buffering=0)  # what a full disk refuses is not tried again
        self._end = self._records.tell()
        working.claim(folder, log)
        _sync_names(folder)

    @property
    def manifest(self) -> dict[str, Any]:
        """What the manifest says by now."""
        return dict(self._manifest)

    def append(self, record: Record) -> None:
        """Write one record. Raises EngineError when the disk takes no more; the file ends with a whole record then."""
        with self._on_disk(RECORDS):
            try:
                self._write(_RECORD.dump_json(record) + b"\n")
            except OSError:
                self._broken = True
                with suppress(OSError):  # what stays of it is cut off when the run is resumed
                    self._records.truncate(self._end)
                raise

    def note(self, **facts: Any) -> None:
        """Add what is known by now to the manifest. Raises EngineError as `append` does."""
        self._manifest.update(facts)
        with self._on_disk(self._name):
            self._write_manifest()
            _sync_names(self.folder)

    def close(self, **facts: Any) -> None:
        """Add what is known at the end to the manifest, and let go of the run. Raises EngineError as `append` does."""
        try:
            # Where a record could not be written, that was told: the manifest's turn would only hide it.
            with suppress(EngineError) if self._broken else nullcontext():
                self.note(**facts)
        finally:
            self._records.close()
            working.release(self.folder)
            self._lock.release()

    def _write(self, line: bytes) -> None:
        left = memoryview(line)
        while left:
            left = left[self._records.write(left) :]
        os.fsync(self._records.fileno())
        self._end += len(line)

    @contextmanager
    def _on_disk(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kept = "what is finished is kept" + (": mend that, then resume the run" if self._name == MANIFEST else "")
            file = printable(str(self.folder / name))
            raise EngineError(f"{file}: cannot be written ({error.strerror}); {kept}.") from error

    def _write_manifest(self) -> None:
        fresh = self.folder / f"{self._name}.new"
        try:
            with fresh.open("w", encoding="utf-8") as file:
                file.write(json.dumps(self._manifest, indent=2, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())  # before it takes the old one's place, which a power cut would leave empty
            fresh.replace(self.folder / self._name)
        except OSError:
            with suppress(OSError):
                fresh.unlink()
            raise


def create_run(
    out: Path, suite: str, model: str, manifest: Mapping[str, Any], name: str = MANIFEST, log: Path | None = None
) -> RunStore:
    """Make the folder `<UTC time>-<suite>-<model>` under `out`. Raises BadInputError where that cannot be.

    name: the manifest's file.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    with _writable(out):
        folder = _new_folder(out, "-".join([stamp, _file_name(suite), _file_name(model)]))
        try:
            _sync_names(out)
            return RunStore(folder, manifest, name, _lock(folder), log)
        except (OSError, BadInputError):  # half a folder is no run
            shutil.rmtree(folder, ignore_errors=True)
            raise


def reopen_run(folder: Path, manifest: Mapping[str, Any], lock: BaseFileLock, log: Path | None = None) -> RunStore:
    """Go on with a run that was broken off. A record that was cut off at the end of the file is removed.

    lock: from `locked`.
    Raises BadInputError where the folder cannot be written.
    """
    with _writable(folder, "be written", "mend that, then resume the run"):
        _cut_torn_end(folder / RECORDS)
        return RunStore(folder, manifest, MANIFEST, lock, log)


@contextmanager
def locked(folder: Path) -> Iterator[BaseFileLock]:
    """Meanwhile nobody else writes to a run, or until its store is closed.

    Raises BadInputError where somebody else writes to it already, and where the folder cannot be written.
    """
    lock = _lock(folder)
    try:
        yield lock
    finally:
        lock.release()


def _lock(folder: Path) -> BaseFileLock:
    """The system lets go of it when this process ends, however it does: when it is killed, as its last thread goes."""
    lock = FileLock(folder / LOCK)
    with _writable(folder):
        try:
            lock.acquire(timeout=0 if working.owner_of(folder) is not None else _LAST_BREATH)
        except Timeout:
            name = printable(str(folder))
            raise BadInputError(f"{name}: another process writes to this run; wait for it, or stop it first.") from None
    return lock


def _cut_torn_end(records: Path) -> None:
    """Remove what stands after the last line break."""
    if not records.exists():
        return
    with records.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            begin = max(0, end - _BLOCK)
            file.seek(begin)
            line_break = file.read(end - begin).rfind(b"\n")
            if line_break >= 0:
                file.truncate(begin + line_break + 1)
                return
            end = begin
        file.truncate(0)


def _sync_names(folder: Path) -> None:
    """Have the names of what is in a folder outlast a power cut, as the contents of the files do."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot, and keep names in their own way
            os.fsync(opened)
    finally:
        os.close(opened)


def read_records(folder: Path) -> Iterator[Record]:
    """The records of a run, one at a time; a line cut off by a crash at the end of the file is left out."""
    with (folder / RECORDS).open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield _RECORD.validate_json(line)


def prepare(out: Path) -> None:
    """Make the folder that will hold runs. Raises BadInputError where that cannot be, or nothing can be put there."""
    with _writable(out):
        out.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=out).close()


@contextmanager
def _writable(folder: Path, what: str = "hold a run", remedy: str = "name another folder with --out") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInputError(f"{printable(str(folder))}: cannot {what} ({reason}); {remedy}.") from error


def _new_folder(out: Path, name: str) -> Path:
    number = 1
    while True:
        folder = out / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def _file_name(text: str) -> str:
    """A model may be a path or a hub name: its last part, in characters every file system takes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text.rstrip("/").rsplit("/", 1)[-1]) or "model"
