"""A program in a pseudo-terminal, watched from outside: every byte it writes and when, and how fast they are taken."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil

_TICK = 0.02  # seconds between two looks at a slow link
_QUERY = re.compile(rb"\x1b\[\?(2026|2048)\$p")  # "do you know this mode?"
_CONTROL = re.compile(rb"\x1b\[[\d;?]*\$?[a-zA-Z]|[\x00-\x1f]")
_ANSWER = {b"2026": b"\x1b[?2026;2$y", b"2048": b"\x1b[?2048;0$y"}  # synchronized output yes, in-band resizes no


class NeverSeenError(Exception):
    """What was waited for did not come."""


class Terminal:
    """A terminal of `size` (columns, rows) with true colour.

    link: bytes a second that reach the terminal, None for as many as there are. They are taken from the program at once
    all the same, as SSH does until it has megabytes of them. answers: whether the program's questions about modes are
    answered, as modern terminals do and tmux before 3.7 does not.
    """

    def __init__(
        self,
        command: Sequence[str],
        size: tuple[int, int],
        link: int | None = None,
        answers: bool = True,
    ) -> None:
        self.link = link
        self.answers = answers
        self._seen = bytearray()
        self._last = 0.0
        self._news = threading.Condition()
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            _become(command, size)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def last(self) -> float:
        """When the last bytes came (perf_counter)."""
        return self._last

    @property
    def written(self) -> int:
        """How many bytes have come out of it."""
        return len(self._seen)

    def since(self, offset: int) -> bytes:
        """What has come out of it from an offset on."""
        return bytes(self._seen[offset:])

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._fd, keys)

    def sees(self, pattern: bytes, since: int = 0, seconds: float = 60) -> float:
        """Wait for a pattern behind an offset; the time (perf_counter) when the last bytes needed for it came."""
        wanted = re.compile(pattern)
        end = time.monotonic() + seconds
        with self._news:
            while not wanted.search(self._seen, since):
                if not self._news.wait(end - time.monotonic()):
                    raise NeverSeenError(f"{pattern!r} was not drawn, but {self._end()!r}")
            return self._last

    def rests(self, seconds: float = 0.5, within: float = 60) -> None:
        """Wait until nothing has been written for some time."""
        end = time.monotonic() + within
        with self._news:
            while self._news.wait(seconds):
                if time.monotonic() > end:
                    raise NeverSeenError(f"it went on writing for {within} seconds")

    def close(self) -> None:
        """Kill the program; what it started ends when its standard input closes."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def _end(self) -> str:
        """The last words on the screen."""
        return " ".join(_CONTROL.sub(b" ", self._seen[-5000:]).decode(errors="replace").split())[-300:]

    def _read(self) -> None:
        """Take what is written at once, and draw it in the link's time. Ends with the program."""
        underway, room, then, opened = bytearray(), 0.0, time.perf_counter(), True
        while opened or underway:
            try:
                if select.select([self._fd] if opened else [], [], [], _TICK if underway else 1.0)[0]:
                    underway += os.read(self._fd, 1 << 16)
            except OSError:  # the terminal is closed; what is in flight still arrives
                opened = False
            now, link = time.perf_counter(), self.link
            room = len(underway) if link is None else min(room + link * (now - then), link * _TICK * 2)
            then = now
            if drawn := underway[: int(room)]:
                del underway[: len(drawn)]
                room -= len(drawn)
                self._draw(bytes(drawn), now)

    def _draw(self, drawn: bytes, now: float) -> None:
        with self._news:
            self._last = now
            before = len(self._seen)
            self._seen += drawn
            self._news.notify_all()
        if self.answers:
            self._answer(before)

    def _answer(self, before: int) -> None:
        for query in _QUERY.finditer(self._seen, max(0, before - 8)):
            if query.end() > before:
                self.type(_ANSWER[query[1]])


def _become(command: Sequence[str], size: tuple[int, int]) -> None:
    """Turn this child process into the program."""
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    unwanted = ("TMUX", "NO_COLOR", "SSH_", "TEXTUAL", "COLUMNS", "LINES")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
    os.execvpe(command[0], list(command), environment)


@contextmanager
def opened(
    command: Sequence[str], size: tuple[int, int], link: int | None = None, answers: bool = True
) -> Iterator[Terminal]:
    """A terminal that is closed in the end."""
    terminal = Terminal(command, size, link, answers)
    try:
        yield terminal
    finally:
        terminal.close()


def processor_seconds(pid: int) -> float:
    """The processor time a process has taken so far, its threads included."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
