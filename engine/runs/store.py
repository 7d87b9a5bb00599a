"""Writes the folder of a run: `run.json`, the manifest, and `records.jsonl`, one line for each finished job.

The folder of a search has `search.json` as its manifest.
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

from engine.errors import BadInputError, EngineError
from engine.records import Record
from engine.runs import owner
from engine.runs.record_lines import RECORD, RecordLines
from engine.text import printable

MANIFEST, RECORDS, SEARCH, LOCK = "run.json", "records.jsonl", "search.json", ".lock"
_BLOCK = 1 << 16  # bytes
_EXIT_SECONDS = 5.0  # how long the system may take to dismantle a large process that was killed


class RunStore:
    """Writes one run. A record is on disk, flushed through to the device, when `append` returns.

    No other process can write the run meanwhile, and others can see which one does (engine.runs.owner).
    """

    def __init__(
        self, folder: Path, manifest: Mapping[str, Any], name: str, lock: BaseFileLock, log: Path | None
    ) -> None:
        """Use create_run or reopen_run. name: of the manifest's file. log: this process's log file."""
        self.folder = folder
        self._manifest, self._name, self._lock = dict(manifest), name, lock
        self._append_failed = False
        self._write_manifest()
        # Unbuffered: a buffer would keep what a full disk refused, and write it at a later flush.
        self._records = (folder / RECORDS).open("ab", buffering=0)
        self._end = self._records.tell()
        owner.claim(folder, log)
        _sync_names(folder)

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest as it is now."""
        return dict(self._manifest)

    def append(self, record: Record) -> None:
        """Write one record. Raises EngineError if the disk is full; the file then ends with a whole record."""
        with self._on_disk(RECORDS):
            try:
                self._write(RECORD.dump_json(record) + b"\n")
            except OSError:
                self._append_failed = True
                with suppress(OSError):  # if this fails too, resuming the run cuts the torn end off
                    self._records.truncate(self._end)
                raise

    def note(self, **facts: Any) -> None:
        """Add facts to the manifest. Raises EngineError as `append` does."""
        self._manifest.update(facts)
        with self._on_disk(self._name):
            self._write_manifest()
            _sync_names(self.folder)

    def close(self, **facts: Any) -> None:
        """Add the last facts to the manifest and release the run. Raises EngineError as `append` does."""
        try:
            # A failed append has raised its own error. One of the manifest, after it, would hide the first.
            with suppress(EngineError) if self._append_failed else nullcontext():
                self.note(**facts)
        finally:
            self._records.close()
            owner.release(self.folder)
            self._lock.release()

    def _write(self, line: bytes) -> None:
        left = memoryview(line)
        while left:  # an unbuffered write may take only a part
            left = left[self._records.write(left) :]
        os.fsync(self._records.fileno())
        self._end += len(line)

    @contextmanager
    def _on_disk(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kept = "what is finished is kept" + (": fix that, then resume the run" if self._name == MANIFEST else "")
            file = printable(str(self.folder / name))
            raise EngineError(f"{file}: cannot be written ({error.strerror}); {kept}.") from error

    def _write_manifest(self) -> None:
        # A reader must find the old manifest or the new one, never a part: so it is written next to the old one, which
        # it then replaces in one step.
        fresh = self.folder / f"{self._name}.new"
        try:
            with fresh.open("w", encoding="utf-8") as file:
                file.write(json.dumps(self._manifest, indent=2, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())  # before the replacement, which a power cut would otherwise leave empty
            fresh.replace(self.folder / self._name)
        except OSError:
            with suppress(OSError):
                fresh.unlink()
            raise


def create_run(
    out: Path, suite: str, model: str, manifest: Mapping[str, Any], name: str = MANIFEST, log: Path | None = None
) -> RunStore:
    """Create the folder `<UTC time>-<suite>-<model>` in `out`. name: of the manifest's file.

    Raises BadInputError if it cannot be written.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    with _writable(out):
        folder = _new_folder(out, "-".join([stamp, _file_name(suite), _file_name(model)]))
        try:
            _sync_names(out)
            return RunStore(folder, manifest, name, _lock(folder), log)
        except (OSError, BadInputError):
            shutil.rmtree(folder, ignore_errors=True)  # lists would show it as an interrupted run
            raise


def reopen_run(folder: Path, manifest: Mapping[str, Any], lock: BaseFileLock, log: Path | None = None) -> RunStore:
    """Continue an interrupted run. A record that was cut off at the end of the file is removed.

    lock: from `locked`.
    Raises BadInputError if the folder cannot be written.
    """
    with _writable(folder, "be written", "fix that, then resume the run"):
        _cut_torn_end(folder / RECORDS)
        return RunStore(folder, manifest, MANIFEST, lock, log)


@contextmanager
def locked(folder: Path) -> Iterator[BaseFileLock]:
    """Keep other processes from writing a run in this block, or until its store is closed.

    Raises BadInputError if another process writes it already, or the folder cannot be written.
    """
    lock = _lock(folder)
    try:
        yield lock
    finally:
        lock.release()


def read_records(folder: Path) -> Iterator[Record]:
    """The records of a run, without a line that a crash cut off at the end. Raises on lines that are not records."""
    for _, record in RecordLines(folder / RECORDS, RECORD.validate_json).read():
        yield record


def prepare(out: Path) -> None:
    """Create the folder that will hold runs. Raises BadInputError if that fails or it cannot be written."""
    with _writable(out):
        out.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=out).close()


def _lock(folder: Path) -> BaseFileLock:
    # The lock is the system's (flock), not the presence of the file: the system releases it when the process ends, even
    # by SIGKILL. It does so only with the last of its threads, a while after the process is seen to be dead; hence the
    # wait where no living owner is recorded. A living owner keeps the lock, so there is nothing to wait for.
    lock = FileLock(folder / LOCK)
    with _writable(folder):
        try:
            lock.acquire(timeout=0 if owner.owner_of(folder) is not None else _EXIT_SECONDS)
        except Timeout:
            name = printable(str(folder))
            raise BadInputError(f"{name}: another process writes to this run; wait for it, or stop it first.") from None
    return lock


def _cut_torn_end(records: Path) -> None:
    """Remove what follows the last line break: part of a record, or zeros that a power cut left in its place."""
    if not records.exists():
        return
    with records.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        while end:  # backwards in blocks: files have gigabytes, but a line can be longer than a block
            begin = max(0, end - _BLOCK)
            file.seek(begin)
            line_break = file.read(end - begin).rfind(b"\n")
            if line_break >= 0:
                file.truncate(begin + line_break + 1)
                return
            end = begin
        file.truncate(0)


def _sync_names(folder: Path) -> None:
    """Have the names in a folder survive a power cut: syncing a file makes only its content durable."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot, and keep names in their own way
            os.fsync(opened)
    finally:
        os.close(opened)


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
        except FileExistsError:  # two runs in one second
            number += 1
        else:
            return folder


def _file_name(text: str) -> str:
    """The last part of a path or hub name, in characters that every file system takes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text.rstrip("/").rsplit("/", 1)[-1]) or "model"
