"""A run that is decoded elsewhere, stored here too: the same manifest and records, in a folder of this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from engine.errors import BadInputError
from engine.records import Record
from engine.runs.resuming import resumable_manifest
from engine.runs.store import MANIFEST, RunStore, create_run, locked, read_records, reopen_run
from engine.text import printable


class Mirror:
    """The copy of one run. Its manifest also has `engine`: the command that leads there, and the run's folder there."""

    def __init__(self, command: Sequence[str], suite: Path, out: Path, log: Path | None) -> None:
        """suite: its file on this machine."""
        self._command, self._suite, self._out, self._log = list(command), suite, out, log
        self._store: RunStore | None = None
        self._stack = ExitStack()
        self._resumed: Path | None = None
        self._stored: set[str] = set()
        self._trial_of: Path | None = None

    def try_on(self, run: Path) -> Path:
        """Make the run a trial of one that is stored here. Returns that one's folder there."""
        self._trial_of = run
        return folder_there(run)

    def resume(self, run: Path) -> Path:
        """Resume a run that is stored here, and lock it. Returns its folder there."""
        there = folder_there(run)
        self._lock = self._stack.enter_context(locked(run))
        self._resumed = run
        self._stored = {record.id for record in read_records(run)}
        return there

    @property
    def folder(self) -> Path:
        """The folder here, after the manifest has arrived."""
        assert self._store is not None
        return self._store.folder

    @property
    def trial_of(self) -> Path | None:
        """The run here that it is a trial of."""
        return self._trial_of

    @property
    def begun(self) -> bool:
        """Whether the manifest has arrived and the run is not closed."""
        return self._store is not None

    def write_manifest(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        """Store the manifest of a folder there: the first creates the folder here, the next replace it."""
        ours = {**manifest, "suite_file": str(self._suite), "engine": {"command": self._command, "folder": str(folder)}}
        if self._trial_of is not None:
            ours["trial_of"] = self._trial_of.name
        if self._store is not None:
            self._store.note(**ours)
        elif self._resumed is not None:
            self._store = reopen_run(self._resumed, ours, self._lock, self._log)
        else:
            self._store = create_run(self._out, ours["suite"], ours["model"], ours, log=self._log)

    def append(self, record: Record) -> None:
        """Store a record, unless a resumed run has it already."""
        assert self._store is not None
        if record.id not in self._stored:
            self._stored.add(record.id)
            self._store.append(record)

    def close(self) -> None:
        """Close the folder. A run whose end has not arrived counts as interrupted."""
        if self._store is not None:
            self._store.close()
            self._store = None
        self._stack.close()


def folder_there(run: Path) -> Path:
    """The folder of a mirrored run at its engine. Raises BadInputError for a run that was decoded here."""
    resumable_manifest(run)
    engine = json.loads((run / MANIFEST).read_bytes()).get("engine")
    if not isinstance(engine, dict) or not isinstance(engine.get("folder"), str):
        remedy = "leave out --engine to resume it here, or run the suite again"
        raise BadInputError(f"{printable(str(run))}: this run was not made by an engine elsewhere; {remedy}.")
    return Path(engine["folder"])
