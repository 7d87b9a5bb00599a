"""The folder of a run: `run.json`, the manifest, and `records.jsonl`, one line a finished job."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from engine.records import Record

MANIFEST, RECORDS = "run.json", "records.jsonl"
_RECORD: TypeAdapter[Record] = TypeAdapter(Record)


class StoreError(Exception):
    """The run folder cannot be made or written. The message is one sentence."""


class RunStore:
    """Writes one run. A record is on disk, flushed through to the device, when `append` returns."""

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.folder = folder
        self._manifest = dict(manifest)
        try:
            self._write_manifest()
            self._records = (folder / RECORDS).open("xb")
        except OSError as error:
            raise StoreError(f"Cannot write to {folder}: {error.strerror}.") from error

    @classmethod
    def create(cls, out: Path, suite: str, model: str, manifest: Mapping[str, Any]) -> RunStore:
        """Make the folder `<UTC time>-<suite>-<model>` under `out`, which is made too where it is missing."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        name = "-".join([stamp, _file_name(suite), _file_name(model)])
        try:
            return cls(_new_folder(out, name), manifest)
        except OSError as error:
            raise StoreError(
                f"Cannot make a run folder in {out}: {error.strerror}; name another one with --out."
            ) from error

    def append(self, record: Record) -> None:
        """Write one record. Raises StoreError when the disk takes no more."""
        try:
            self._records.write(_RECORD.dump_json(record) + b"\n")
            self._records.flush()
            os.fsync(self._records.fileno())
        except OSError as error:
            raise StoreError(f"Cannot write to {self.folder / RECORDS}: {error.strerror}.") from error

    def close(self, **facts: Any) -> None:
        """Close the records and add what is known at the end to the manifest."""
        self._records.close()
        self._manifest.update(facts)
        self._write_manifest()

    def _write_manifest(self) -> None:
        fresh = self.folder / f"{MANIFEST}.new"
        fresh.write_text(json.dumps(self._manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(self.folder / MANIFEST)


def read_records(folder: Path) -> Iterator[Record]:
    """The records of a run, one at a time; a line cut off by a crash at the end of the file is left out."""
    with (folder / RECORDS).open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield _RECORD.validate_json(line)


def _new_folder(out: Path, name: str) -> Path:
    out.mkdir(parents=True, exist_ok=True)
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
