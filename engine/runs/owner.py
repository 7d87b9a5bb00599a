"""Who works on a run: `engine.json` in its folder, from when a process begins with it until that one ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import psutil

ENGINE = "engine.json"
_CLOSE_ENOUGH = 1.0  # seconds; the system tells a process's start by its own clock


@dataclass(frozen=True, slots=True)
class RunOwner:
    """A process that writes a run. begun: when the process was started, in seconds since 1970. log: its log file."""

    pid: int
    begun: float
    log: Path | None = None

    @property
    def alive(self) -> bool:
        """Whether it still runs: this very process, not a later one that was given the same number."""
        try:
            process = psutil.Process(self.pid)
            return abs(process.create_time() - self.begun) < _CLOSE_ENOUGH and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, ValueError):  # not there, or no number that a process can have
            return False


def claim(folder: Path, log: Path | None) -> None:
    """This process writes the run from now on. Raises OSError."""
    me = psutil.Process()
    facts = {"pid": me.pid, "begun": me.create_time(), "log": str(log.resolve()) if log else None}
    (folder / ENGINE).write_text(json.dumps(facts) + "\n", encoding="utf-8")


def release(folder: Path) -> None:
    """This process has finished with the run."""
    with contextlib.suppress(OSError):
        (folder / ENGINE).unlink()


def owner_of(folder: Path) -> RunOwner | None:
    """The process that writes a run, if it still lives."""
    try:
        facts = json.loads((folder / ENGINE).read_bytes())
        log = facts.get("log")
        worker = RunOwner(int(facts["pid"]), float(facts["begun"]), Path(log) if log else None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):  # no file, or not such a one
        return None
    return worker if worker.alive else None


def stop(worker: RunOwner) -> None:
    """Ask a worker to end its run, which it does when the step it is at is done. What is finished stays."""
    if worker.alive:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(worker.pid, signal.SIGTERM)
