"""How long a key waits for its answer: from the key press to the last byte of what it changes on the screen."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from tests.bench.interface.engine import BROKEN_EVERY, Plan, case_name
from tests.bench.interface.figures import Figure, percentiles
from tests.bench.interface.program import command
from tests.bench.interface.terminal import Terminal, opened, processor_seconds
from tests.bench.interface.traffic import SIZES, begin

BUSY = Plan(jobs=5_200, finished=5_000, streaming=64, rate=25)
LONGEST = 50.0  # ms: of nineteen keys in twenty
SLOW = 8_000  # bytes a second
_SLOW_PLAN = Plan(jobs=200, finished=40, streaming=8, rate=25, seconds=25)
_DOWN, _TOKENS = b"\x1b[B", b"t"
_FRAME = b"\x1b[?2026h"


def busy(folder: Path, presses: int = 100) -> Iterator[Figure]:
    """Keys while 64 jobs stream and 5,000 records are loaded."""
    with opened(command(BUSY, folder), SIZES[0]) as terminal:
        _load(terminal, BUSY)
        taken, begun = processor_seconds(terminal.pid), time.perf_counter()
        yield from percentiles("busy: down", list(_press(terminal, _DOWN, row, presses)), LONGEST)
        share = (processor_seconds(terminal.pid) - taken) / (time.perf_counter() - begun)
        yield Figure("busy: of a core, with some five keys a second", 100 * share, "%")
        terminal.type(b"g")
        terminal.sees(row(0))
        broken = list(_press(terminal, b"n", lambda n: row(n * BROKEN_EVERY), presses))
        yield from percentiles("busy: n, to the next broken", broken, LONGEST)
        views = list(_press(terminal, _TOKENS, lambda n: rb"TOKENS" if n % 2 else rb"FREE", presses))
        yield from percentiles("busy: t, tokens and back", views, LONGEST)


def slow(folder: Path, presses: int = 15) -> Iterator[Figure]:
    """Keys over SSH on a link of 8 kB a second: with a terminal that answers questions, and with one that does not."""
    for answers, times in ((True, presses), (False, 4)):
        with opened(command(_SLOW_PLAN, folder), SIZES[0], answers=answers) as terminal:
            _load(terminal, _SLOW_PLAN)
            terminal.link = SLOW
            begun, before = time.perf_counter(), terminal.written
            waits = list(_press(terminal, _DOWN, row, times))
            if not answers:
                yield Figure(f"8 kB/s, a terminal that does not answer: down, the slowest of {times}", max(waits), "s")
                continue
            frames = terminal.since(before).count(_FRAME) / (time.perf_counter() - begun)
            yield Figure(f"8 kB/s: down, median of {times}", median(waits), "s")
            yield Figure(f"8 kB/s: down, the slowest of {times}", max(waits), "s")
            yield Figure("8 kB/s: frames drawn", frames, "a second")
            ended = terminal.sees(b"finished", seconds=90)
            terminal.rests(2.0, within=90)
            yield Figure("8 kB/s: from the run's last word until all is drawn", terminal.last - ended, "s")


def row(number: int) -> bytes:
    """A pattern for the row under the cursor, of a job by its number."""
    return rb"> [^\n]*" + re.escape(case_name(number).encode())


def _load(terminal: Terminal, plan: Plan) -> None:
    """Start the run, wait until all that is finished is listed and the rest streams, and go to the first job."""
    begin(terminal)
    terminal.sees(rb"%d/%d jobs" % (plan.finished, plan.jobs))
    time.sleep(2)
    terminal.type(b"g")
    terminal.sees(row(0))


def _press(terminal: Terminal, key: bytes, answer: Callable[[int], bytes], times: int) -> Iterator[float]:
    """The waiting times of a key, pressed about five times a second but never before it was answered."""
    chance = random.Random(5)
    for number in range(1, times + 1):
        time.sleep(chance.uniform(0.1, 0.3))
        written, pressed = terminal.written, time.perf_counter()
        terminal.type(key)
        yield terminal.sees(answer(number), written) - pressed
