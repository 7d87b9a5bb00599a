"""How long it takes from the command to the first screen, and how much of it are imports."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench.interface.engine import Plan
from tests.bench.interface.figures import Figure
from tests.bench.interface.program import command
from tests.bench.interface.terminal import opened, processor_seconds
from tests.bench.interface.traffic import SIZES

_MOST = 500.0  # ms
_SCRIPT = Path(sys.executable).with_name("jsonbreak")
_PACKAGES = ("textual", "rich", "click", "pydantic", "engine", "tui")
_IMPORT = re.compile(r"import time: +(\d+) \| +(\d+) \| *([\w.]+)")


def starting(folder: Path, runs: int = 7) -> Iterator[Figure]:
    """Both ways to start the real program, several times each."""
    command(Plan(), folder)  # for its suites
    programs = {"jsonbreak": [str(_SCRIPT)], "python -m tui": [sys.executable, "-m", "tui"]}
    for name, program in programs.items():
        if Path(program[0]).exists():
            first = [_first_paint([*program, str(folder / "suites")]) for _ in range(runs)]
            walls, taken = ([1000 * seconds for seconds in each] for each in zip(*first, strict=True))
            yield Figure(f"{name}: first paint, median of {runs}", median(walls), "ms", _MOST)
            yield Figure(f"{name}: the slowest of {runs}", max(walls), "ms")
            yield Figure(f"{name}: processor time until then, median", median(taken), "ms")
    for package, seconds in import_seconds().items():
        yield Figure(f"importing the first screen: {package}", 1000 * seconds, "ms")


def _first_paint(program: list[str]) -> tuple[float, float]:
    """Seconds until the first frame, and of the processor until then, of the process that drew it."""
    with opened(program, SIZES[0]) as terminal:
        drawn = terminal.sees(b"SUITES") - terminal.started
        return drawn, processor_seconds(terminal.pid)


def import_seconds() -> dict[str, float]:
    """The time that importing the first screen takes in the modules of each package, those of others aside."""
    program = [sys.executable, "-X", "importtime", "-c", "import tui.__main__, tui.app"]
    said = subprocess.run(program, capture_output=True, text=True, check=True).stderr
    spent = dict.fromkeys((*_PACKAGES, "all others"), 0.0)
    for own, _, module in _IMPORT.findall(said):
        package = module.partition(".")[0]
        spent[package if package in _PACKAGES else "all others"] += int(own) / 1e6
    return {package: seconds for package, seconds in spent.items() if seconds}
