"""The folder of a run: `run.json`, the manifest, and `records.jsonl`, one line a finished job.

That of a search has `search.json` for its manifest.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from pydantic import TypeAdapter

from engine.errors import BadInputError, EngineError
from engine.records import Record

MANIFEST, RECORDS, SEARCH = "run.json", "records.jsonl", "search.json"
_RECORD: TypeAdapter[Record] = TypeAdapter(Record)


class RunStore:
    """Writes one run. A record is on disk, flushed through to the device, when `append` returns."""

    def __init__(self, out: Path, suite: str, model: str, manifest: Mapping[str, Any], name: str = MANIFEST) -> None:
        """Make the folder `<UTC time>-<suite>-<model>` under `out`. Raises BadInputError where that cannot be.

        name: the manifest's file.
        """
        self._manifest, self._name = dict(manifest), name
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        with _writable(out):
            self.folder = _new_folder(out, "-".join([stamp, _file_name(suite), _file_name(model)]))
            self._write_manifest()
            self._records = (self.folder / RECORDS).open("xb")

    def append(self, record: Record) -> None:
        """Write one record. Raises EngineError when the disk takes no more."""
        with self._on_disk(RECORDS):
            self._records.write(_RECORD.dump_json(record) + b"\n")
            self._records.flush()
            os.fsync(self._records.fileno())

    def note(self, **facts: Any) -> None:
        """Add what is known by now to the manifest. Raises EngineError as `append` does."""
        self._manifest.update(facts)
        with self._on_disk(self._name):
            self._write_manifest()

    def close(self, **facts: Any) -> None:
        """Close the records and add what is known at the end to the manifest. Raises EngineError as `append` does."""
        self.note(**facts)
        with self._on_disk(RECORDS):
            self._records.close()

    @contextmanager
    def _on_disk(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise EngineError(f"{self.folder / name}: cannot be written ({error.strerror}).") from error

    def _write_manifest(self) -> None:
        fresh = self.folder / f"{self._name}.new"
        fresh.write_text(json.dumps(self._manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(self.folder / self._name)


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
def _writable(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInputError(f"{out}: cannot hold a run ({reason}); name another folder with --out.") from error


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
