"""The engine as a child process, spoken to as the interface speaks to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.protocol.commands import Command, encode_command
from engine.protocol.events import Event, decode_event


class Child:
    """One process. `send` it commands, read its `events`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def send(self, command: Command) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(encode_command(command))
        self.process.stdin.flush()

    def events(self) -> Iterator[Event]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield decode_event(line)

    def until(self, kind: type[Event]) -> list[Event]:
        seen = []
        for event in self.events():
            seen.append(event)
            if isinstance(event, kind):
                return seen
        raise AssertionError(f"the engine ended without {kind.__name__}: {seen}")


@contextmanager
def engine(out: Path, *options: str) -> Iterator[Child]:
    command = [sys.executable, "-m", "engine", "worker", "--device", "cpu", "--out", str(out), *options]
    with (out / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
    try:
        yield Child(process)
    finally:
        process.kill()
        process.wait()
