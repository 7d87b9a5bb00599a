"""`python -m tests.bench.scale`: what comparing and reporting 100,000 jobs take, in seconds and memory. A few minutes.

Two runs are made, with the same jobs and other replies. Each command runs in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click

from tests.bench import tables
from tests.bench.runner import ROOT
from tests.helpers.large_run import write_large_run


@dataclass(frozen=True)
class Cost:
    """What a command took. seconds: of a clock. processor: of a core. peak: bytes of memory at most."""

    seconds: float
    processor: float
    peak: int


@click.command(help=__doc__)
@click.option("--jobs", default=100_000, show_default=True, type=click.IntRange(1), help="Of each run.")
@click.option("--markdown", is_flag=True, help="Print Markdown.")
def main(jobs: int, markdown: bool) -> None:
    """Make the runs, measure and print."""
    page = tables.Page(markdown)
    page.say(f"Measured {tables.machine()}, two runs of {jobs:,} jobs.")
    if warning := tables.load():
        page.say(warning)
    with tempfile.TemporaryDirectory() as folder:
        runs = [write_large_run(Path(folder), jobs, shift) for shift in (0, 1)]
        size = sum((run / "records.jsonl").stat().st_size for run in runs)
        page.say(f"Their records are {size / 1e6:,.0f} MB.")
        rows = [(name, *_row(command)) for name, command in _commands(runs, Path(folder)).items()]
    page.table(("", "seconds", "seconds of a core", "peak memory (MB)"), rows)


def _commands(runs: list[Path], folder: Path) -> dict[str, list[str]]:
    pair = ["compare", *map(str, runs)]
    curve = ["compare", *map(str, [runs[0], *runs[1:] * 4])]
    report = ["report", str(runs[0])]
    return {
        "compare, Markdown": [*pair, "--out", str(folder / "pair.md")],
        "compare, HTML": [*pair, "--out", str(folder / "pair.html")],
        "compare, JSON": [*pair, "--out", str(folder / "pair.json")],
        "compare with four runs, Markdown": [*curve, "--out", str(folder / "curve.md")],
        "report, Markdown": [*report, "--out", str(folder / "report.md")],
        "report, HTML": [*report, "--out", str(folder / "report.html")],
    }


def _row(command: list[str]) -> tuple[str, str, str]:
    cost = measure(command)
    return f"{cost.seconds:.1f}", f"{cost.processor:.1f}", f"{cost.peak / 1e6:,.0f}"


def measure(command: list[str]) -> Cost:
    """Run `jsonbreak` with these arguments to its end. Raises CalledProcessError where it fails."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "engine", *command], cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)  # the usage of this process alone, where getrusage knows them all
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


if __name__ == "__main__":
    main()
