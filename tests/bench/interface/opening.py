"""How long until a run of 100,000 records is listed, how keys are answered then, and what memory that takes."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.bench.interface.answers import LONGEST
from tests.bench.interface.figures import Figure, percentiles
from tests.bench.interface.terminal import Terminal, opened
from tests.bench.interface.traffic import SIZES
from tests.helpers import story
from tests.helpers.large_run import write_large_run

_SECONDS = 2.0
_PAGE_DOWN, _LAST, _FIRST = b"\x1b[6~", b"G", b"g"


def opening(folder: Path, jobs: int = 100_000, presses: int = 100) -> Iterator[Figure]:
    """From the list of runs: enter, until all records are listed; then through the list by pages and to its ends."""
    suites = story.suite_folder(folder / "suites")
    write_large_run(folder / "large", jobs)
    program = [sys.executable, "-m", "tui", str(suites), "--out", str(folder / "large")]
    with opened(program, SIZES[0]) as terminal:
        terminal.sees(b"naive")
        terminal.type(b"o")
        terminal.sees(b"made")
        terminal.rests()
        before, pressed = terminal.written, time.perf_counter()
        terminal.type(b"\r")
        shown = terminal.sees(rb"> [^\n]*case-0", before) - pressed
        listed = terminal.sees(rb"%d(/| of )%d jobs" % (jobs, jobs), before) - pressed
        yield Figure(f"a run of {jobs:,} records: first records seen", shown, "s")
        yield Figure(f"a run of {jobs:,} records: all listed", listed, "s", _SECONDS)
        terminal.rests()
        yield Figure("memory of the interface then", psutil.Process(terminal.pid).memory_info().rss / 2**20, "MiB")
        yield from percentiles("page down", list(_walk(terminal, presses)), LONGEST)


def _walk(terminal: Terminal, presses: int) -> Iterator[float]:
    """The waiting times of keys that show other rows: the header is not drawn anew, but a row under the cursor is."""
    chance = random.Random(5)
    for number in range(presses):
        time.sleep(chance.uniform(0.05, 0.2))
        key = _LAST if number % 10 == 8 else _FIRST if number % 10 == 9 else _PAGE_DOWN
        before, pressed = terminal.written, time.perf_counter()
        terminal.type(key)
        yield terminal.sees(rb"> [^\n]*case-\d", before) - pressed
