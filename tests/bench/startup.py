"""How long commands take that do little, in this checkout and in another one, in turn: is the new one slower?

    python -m tests.bench.startup OTHER_CHECKOUT [--runs 9]

For a quiet machine. Both checkouts run on this interpreter; the ratio is new to old, of the medians.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import click

from tests.bench.interface.terminal import opened
from tests.bench.interface.traffic import SIZES
from tests.bench.runner import ROOT
from tests.bench.tables import Page

_ENGINE = [sys.executable, "-m", "engine"]


@click.command()
@click.argument("other", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--runs", default=9, show_default=True, help="How often each is done.")
def main(other: Path, runs: int) -> None:
    """Measure both, print a table."""
    suite = str(ROOT / "suites" / "people.toml")
    with tempfile.TemporaryDirectory() as folder:
        one_job = ["run", suite, "--limit", "1", "--plain", "--device", "cpu", "--out", folder]
        tasks: dict[str, Callable[[], float]] = {
            "jsonbreak --help": lambda: _seconds(["--help"]),
            "first paint": lambda: _first_paint(suite),
            "jsonbreak check": lambda: _seconds(["check", suite]),
            "one job, built-in model": lambda: _seconds(one_job),
        }
        rows = [(name, *_compared(task, other.resolve(), runs)) for name, task in tasks.items()]
    Page(markdown=False).table(("", "old (s)", "new (s)", "new / old"), rows)


def _compared(task: Callable[[], float], other: Path, runs: int) -> tuple[str, str, str]:
    old: list[float] = []
    new: list[float] = []
    for _ in range(runs + 1):
        for checkout, seconds in ((other, old), (ROOT, new)):
            os.chdir(checkout)
            os.environ["PYTHONPATH"] = str(checkout)
            seconds.append(task())
    before, after = median(old[1:]), median(new[1:])  # the first of each fills caches
    return f"{before:.3f}", f"{after:.3f}", f"{after / before:.2f}"


def _seconds(arguments: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run([*_ENGINE, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def _first_paint(suite: str) -> float:
    with opened([sys.executable, "-m", "tui", suite], SIZES[0]) as terminal:
        return terminal.sees(b"SUITES") - terminal.started


if __name__ == "__main__":
    main()
