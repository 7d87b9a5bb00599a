"""The command that leads to an engine elsewhere, such as `ssh gpubox jsonbreak engine`, and its messages."""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence

from engine import __version__
from engine.errors import EngineError
from engine.protocol.commands import Command, encode_command
from engine.protocol.events import Event, Hello, decode_event
from engine.text import printable

_LOGIN_LINES = 100  # that a login may print before the engine's first line
_LAST_LINES = 3  # of the command's stderr, quoted in error messages


class Connection:
    """A running command with an engine at its other end."""

    def __init__(self, command: Sequence[str]) -> None:
        """Raises EngineError where the command cannot be started."""
        self._name = printable(shlex.join(command))
        self._stderr: deque[str] = deque(maxlen=_LAST_LINES)
        self._lock = threading.Lock()
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise EngineError(f"{self._name}: cannot be started ({error.strerror}).") from error
        self._listener = threading.Thread(target=self._copy_stderr, daemon=True)
        self._listener.start()

    def greeting(self) -> Hello:
        """Wait for the engine's Hello. Raises EngineError when there is none, and for another version."""
        for _ in range(_LOGIN_LINES):
            line = self._readline()
            if not line:
                raise EngineError(f"{self._name}: no engine answered{self._why()}.")
            hello = _read_hello(line)
            if hello is not None:
                break
            print(line.decode("utf-8", "replace").rstrip(), file=sys.stderr)
        else:
            raise EngineError(f"{self._name}: this does not speak as an engine; does it end with `jsonbreak engine`?")
        theirs = hello.get("jsonbreak")
        if theirs != __version__:
            remedy = "install the same version on both sides"
            raise EngineError(f"{self._name}: jsonbreak {printable(str(theirs))} there, {__version__} here; {remedy}.")
        self._stderr.clear()  # what a login prints explains no later error
        event = decode_event(line)
        assert isinstance(event, Hello)
        return event

    def events(self) -> Iterator[Event]:
        """The engine's events, until it exits or the connection is lost."""
        while line := self._readline():
            yield decode_event(line)

    def send(self, command: Command) -> None:
        """Send a command; `events` ends when the connection is lost."""
        assert self._process.stdin is not None
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(encode_command(command))
            self._process.stdin.flush()

    def close(self) -> None:
        """Send nothing more: the engine ends its current run, and exits."""
        assert self._process.stdin is not None
        with self._lock, contextlib.suppress(OSError):
            self._process.stdin.close()

    def lost(self) -> str:
        """After the last event: a sentence that the connection was lost, with the last lines of stderr."""
        return f"The connection to the engine was lost ({self._name}){self._why()}."

    def _why(self) -> str:
        self._process.wait()
        self._listener.join()
        lines = " ".join(self._stderr)
        return f": it said {lines!r}" if lines else f": it ended with exit code {self._process.returncode}"

    def _readline(self) -> bytes:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def _copy_stderr(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            text = line.decode("utf-8", "replace").rstrip()
            if text:
                self._stderr.append(printable(text))
                print(text, file=sys.stderr, flush=True)


def _read_hello(line: bytes) -> dict[str, object] | None:
    """The Hello on a line, whatever else a later version puts into it; None for any other line."""
    try:
        data = json.loads(line)
    except ValueError:
        return None
    return data if isinstance(data, dict) and data.get("type") == "hello" else None
