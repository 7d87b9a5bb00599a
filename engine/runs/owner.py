"""Which process writes a run: `engine.json` in its folder, while that process works on it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import psutil

ENGINE = "engine.json"
_START_TOLERANCE = 1.0  # seconds: systems derive the start of a process from clocks that drift apart


@dataclass(frozen=True, slots=True)
class RunOwner:
    """A process that writes a run."""

    pid: int
    begun: float
    """When the process was started, in seconds since 1970."""
    log: Path | None = None
    """Its log file."""

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        try:
            process = psutil.Process(self.pid)
            # By its start too: the number of a process that has ended is given to another one.
            same = abs(process.create_time() - self.begun) < _START_TOLERANCE
            return same and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, ValueError):  # it is gone, or the number is not one that a process can have
            return False


def claim(folder: Path, log: Path | None) -> None:
    """Record that this process writes the run. Raises OSError."""
    me = psutil.Process()
    facts = {"pid": me.pid, "begun": me.create_time(), "log": str(log.resolve()) if log else None}
    (folder / ENGINE).write_text(json.dumps(facts) + "\n", encoding="utf-8")


def release(folder: Path) -> None:
    """Record that this process no longer writes the run."""
    with contextlib.suppress(OSError):
        (folder / ENGINE).unlink()


def owner_of(folder: Path) -> RunOwner | None:
    """The process that writes a run; None if there is none, or it has died."""
    try:
        facts = json.loads((folder / ENGINE).read_bytes())
        log = facts.get("log")
        owner = RunOwner(int(facts["pid"]), float(facts["begun"]), Path(log) if log else None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):  # no file, or a damaged one
        return None
    return owner if owner.alive else None


def stop(owner: RunOwner) -> None:
    """Ask an engine to end its run, which it does after the current step. What is finished is kept."""
    if owner.alive:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(owner.pid, signal.SIGTERM)
