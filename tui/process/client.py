"""The engine as a child process: commands go in on its stdin, events come out of its stdout, a JSON line each."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import platformdirs
from pydantic import ValidationError

from engine.protocol.commands import GRACE, Command, encode_command
from engine.protocol.events import Event, decode_event
from tui.state.task import EngineDied

LINE_LIMIT = 64 * 1024 * 1024  # bytes; a record holds its input and both replies
LOGS_KEPT = 10
TAIL_LINES = 12
PATIENCE = GRACE + 1.0  # seconds until the engine is terminated: after it would have exited by itself
_POLL_EVERY = 0.02  # seconds
FORCE_AFTER = 2.0  # seconds after that until it is killed


def new_log_path() -> Path:
    """A fresh log file for this process in the user's log folder; all but the newest few are removed."""
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
        self._process: subprocess.Popen[bytes] | None = None
        self._output: asyncio.StreamReader
        self._input: asyncio.StreamWriter
        self._closing = False

    @property
    def pid(self) -> int | None:
        """The engine's process id, None before it was started."""
        return self._process.pid if self._process is not None else None

    @property
    def alive(self) -> bool:
        """Whether the engine is running and accepts commands."""
        return self._process is not None and self._process.poll() is None and not self._closing

    async def start(self) -> None:
        """Start the process. Raises OSError when it cannot be started."""
        # Its own session: a dropped terminal must not kill it in the middle of a record. Not asyncio's subprocess: that
        # kills its process when it is thrown away, and this one may have to outlive the interface.
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                (*self.command, "--log", str(self.log_path)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        loop = asyncio.get_running_loop()
        self._output = asyncio.StreamReader(limit=LINE_LIMIT)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self._output), self._process.stdout)
        pipe, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, self._process.stdin)
        self._input = asyncio.StreamWriter(pipe, protocol, None, loop)

    async def events(self) -> AsyncIterator[Event | EngineDied]:
        """The engine's events until it exits; then `EngineDied`, unless `close` was called."""
        process = self._running()
        while True:
            try:
                line = await self._output.readline()
            except ValueError:
                self._note(b"a line longer than %d MiB was left out" % (LINE_LIMIT >> 20))
                continue
            if not line:
                break
            try:
                yield decode_event(line)
            except ValidationError:
                self._note(line)
        exit_code = await _ended(process)
        if not self._closing:
            yield EngineDied(exit_code, self.log_tail())

    async def send(self, command: Command) -> None:
        """Send a command. With a dead engine nothing happens: `events` reports its death."""
        self._running()
        with contextlib.suppress(ConnectionError):
            self._input.write(encode_command(command))
            await self._input.drain()

    async def close(self) -> None:
        """End the engine: close its stdin, wait, and only then use force. Immediate when no run is in progress."""
        process, self._closing = self._process, True
        if process is None or process.poll() is not None:
            return
        self._input.close()
        for force, seconds in ((process.terminate, PATIENCE), (process.kill, FORCE_AFTER)):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_ended(process), seconds)
                return
            force()
        await _ended(process)

    def leave(self) -> None:
        """Detach from an engine that keeps running: it finishes its task and exits then."""
        self._closing = True
        if self._process is not None:
            self._input.close()

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
        """Log a line that is no event, as a library may print to stdout."""
        with contextlib.suppress(OSError), self.log_path.open("ab") as log:
            log.write(b"not an event: " + line[:1000].rstrip(b"\n") + b"\n")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the engine has not been started")
        return self._process


async def _ended(process: subprocess.Popen[bytes]) -> int:
    """The exit code, once the process has ended."""
    while (exit_code := process.poll()) is None:
        await asyncio.sleep(_POLL_EVERY)
    return exit_code
