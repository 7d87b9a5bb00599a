"""The engine as a child process: commands go in on its stdin, events come out of its stdout, a JSON line each."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from pydantic import ValidationError

from engine.events import GRACE, Command, Event, decode_event, encode

LINE_LIMIT = 64 * 1024 * 1024  # bytes; a record holds its input and both replies
LOGS_KEPT = 10
TAIL_LINES = 12
PATIENCE = GRACE + 1.0  # seconds until the engine is told to end: later than when it does so by itself
FORCE_AFTER = 2.0  # seconds after that until it is killed


@dataclass(frozen=True, slots=True)
class EngineDied:
    """The engine ended although nobody asked it to. `log` is the end of what it wrote on stderr."""

    exit_code: int
    log: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What happened, in words."""
        if self.exit_code < 0:
            return f"The engine was killed by signal {-self.exit_code}."
        return f"The engine ended unexpectedly with exit code {self.exit_code}."


def new_log_path() -> Path:
    """A fresh log file for this process under the user's log folder; all but the newest few are removed."""
    folder = platformdirs.user_log_path("jsonbreak", appauthor=False, ensure_exists=True)
    logs = sorted(folder.glob("engine-*.log"), key=lambda path: path.stat().st_mtime)
    for old in logs[:-LOGS_KEPT]:
        with contextlib.suppress(OSError):
            old.unlink()
    return folder / f"engine-{os.getpid()}.log"


class Client:
    """One engine process. Start it, iterate over `events()`, `send` commands, `close` it."""

    def __init__(self, command: Sequence[str], log_path: Path | None = None) -> None:
        self.command = tuple(command)
        self.log_path = log_path or new_log_path()
        self._process: asyncio.subprocess.Process | None = None
        self._closing = False

    @property
    def alive(self) -> bool:
        """Whether the engine runs and takes commands."""
        return self._process is not None and self._process.returncode is None and not self._closing

    async def start(self) -> None:
        """Start the process. Raises OSError when it cannot be started."""
        # Its own session: a dropped terminal must not kill it in the middle of a record. It ends when stdin closes.
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=LINE_LIMIT,
                start_new_session=True,
            )

    async def events(self) -> AsyncIterator[Event | EngineDied]:
        """What the engine says, until it ends; then `EngineDied`, unless `close` was called."""
        process = self._running()
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:
                self._note(b"a line longer than %d MiB was left out" % (LINE_LIMIT >> 20))
                continue
            if not line:
                break
            try:
                yield decode_event(line)
            except ValidationError:
                self._note(line)
        exit_code = await process.wait()
        if not self._closing:
            yield EngineDied(exit_code, self.log_tail())

    async def send(self, command: Command) -> None:
        """Tell the engine something. A dead engine is not told: `events` reports its death."""
        process = self._running()
        assert process.stdin is not None
        with contextlib.suppress(ConnectionError):
            process.stdin.write(encode(command))
            await process.stdin.drain()

    async def close(self) -> None:
        """End the engine: close its stdin, wait, and only then use force. At once when no run is on."""
        process, self._closing = self._process, True
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        for force, seconds in ((process.terminate, PATIENCE), (process.kill, FORCE_AFTER)):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), seconds)
                return
            with contextlib.suppress(ProcessLookupError):
                force()
        await process.wait()

    def log_tail(self) -> tuple[str, ...]:
        """The last lines the engine wrote on stderr."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 16_384))
                text = log.read().decode("utf-8", "replace")
        except OSError:
            return ()
        return tuple(text.splitlines()[-TAIL_LINES:])

    def _note(self, line: bytes) -> None:
        """Keep what is no event (a library may print to stdout) where it can be looked up."""
        with contextlib.suppress(OSError), self.log_path.open("ab") as log:
            log.write(b"not an event: " + line[:1000].rstrip(b"\n") + b"\n")

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("the engine has not been started")
        return self._process
