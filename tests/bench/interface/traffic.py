"""What the interface writes, and what of a core it takes: while two panes stream, and where nothing happens."""

from __future__ import annotations

import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.interface.engine import Plan
from tests.bench.interface.figures import Figure
from tests.bench.interface.program import command
from tests.bench.interface.terminal import Terminal, opened, processor_seconds

SIZES = ((120, 40), (80, 24))
_STREAM = Plan(jobs=200, finished=40, streaming=1, rate=100)
_WARM_UP = 3.0  # seconds until the panes are full and scroll
_BYTES, _SHARE = 100.0, 10.0  # kB/s and % of a core, at most


def streaming(folder: Path, seconds: float = 10) -> Iterator[Figure]:
    """One job whose arms get 100 tokens a second each, in both sizes, and in tmux where it is installed."""
    for size in SIZES:
        with opened(command(_STREAM, folder), size) as terminal:
            begin(terminal)
            yield from _measure(terminal, terminal.pid, f"two panes at 100 tokens/s, {_name(size)}", seconds)
    if shutil.which("tmux"):
        for size in SIZES:
            with _in_tmux(command(_STREAM, folder), size) as (terminal, pid):
                begin(terminal)
                yield from _measure(terminal, pid, f"the same in tmux, {_name(size)}", seconds)


def idle(folder: Path, seconds: float = 10) -> Iterator[Figure]:
    """The first screen, a finished run, a paused one."""
    with opened(command(Plan(streaming=1, seconds=1), folder), SIZES[0]) as terminal:
        terminal.sees(b"naive")
        yield _quiet(terminal, "idle: the suites", seconds)
        begin(terminal)
        terminal.sees(b"finished")
        yield _quiet(terminal, "idle: a finished run", seconds)
    with opened(command(_STREAM, folder), SIZES[0]) as terminal:
        begin(terminal)
        terminal.type(b" ")
        terminal.sees(b"paused")
        yield _quiet(terminal, "idle: a paused run", seconds)


def begin(terminal: Terminal) -> None:
    """Start the run, and wait until text streams."""
    terminal.sees(b"naive")
    terminal.type(b"r")
    terminal.sees(b"employer")


def _measure(terminal: Terminal, pid: int, what: str, seconds: float) -> Iterator[Figure]:
    time.sleep(_WARM_UP)
    written, taken, begun = terminal.written, processor_seconds(pid), time.perf_counter()
    time.sleep(seconds)
    elapsed = time.perf_counter() - begun
    yield Figure(f"{what}: written", (terminal.written - written) / elapsed / 1000, "kB/s", _BYTES)
    yield Figure(f"{what}: of a core", (processor_seconds(pid) - taken) / elapsed * 100, "%", _SHARE)


def _quiet(terminal: Terminal, what: str, seconds: float) -> Figure:
    terminal.rests(1.0)
    written = terminal.written
    time.sleep(seconds)
    return Figure(f"{what}: written in {seconds:.0f} s", terminal.written - written, "bytes", 0)


@contextmanager
def _in_tmux(program: list[str], size: tuple[int, int]) -> Iterator[tuple[Terminal, int]]:
    """The program in a tmux of its own, seen as tmux draws it; and the program's process id."""
    tmux = ["tmux", "-L", f"bench-{uuid.uuid4().hex[:8]}", "-f", "/dev/null"]
    with opened([*tmux, "new-session", *program], size) as terminal:
        try:
            terminal.sees(b"naive")
            panes = subprocess.run([*tmux, "list-panes", "-F", "#{pane_pid}"], capture_output=True, check=True)
            yield terminal, int(panes.stdout)
        finally:
            subprocess.run([*tmux, "kill-server"], capture_output=True, check=False)


def _name(size: tuple[int, int]) -> str:
    return "x".join(map(str, size))
