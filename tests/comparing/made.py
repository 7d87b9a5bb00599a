"""Pairs of small runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.comparing.comparison import ComparedRun, compare
from engine.runs.reading import RunFolder
from tests.helpers.made_runs import EXPECTED, FENCED, MANIFEST, RIGHT, Made, write_run

LORA = {"name": "tuned", "path": "out/tuned", "sha256": "ab" * 32, "base": "made-model", "live": 0.1}
TUNED = {**MANIFEST, "adapter": LORA}
REPLIES = {True: RIGHT, False: FENCED}


def jobs(outcomes: Iterable[bool], **same: Any) -> list[Made]:
    """A job for each outcome: whether its free reply is as asked. The constrained one always is."""
    return [
        Made(REPLIES[outcome], case=f"case-{number}", expected=EXPECTED, **same)
        for number, outcome in enumerate(outcomes)
    ]


def paired(both: int, only_first: int, only_second: int, neither: int) -> tuple[list[Made], list[Made]]:
    """The jobs of two runs, with these numbers of cases."""
    kinds = [(True, True)] * both + [(True, False)] * only_first + [(False, True)] * only_second
    kinds += [(False, False)] * neither
    return jobs(first for first, _ in kinds), jobs(second for _, second in kinds)


def compared(
    folder: Path, before: list[Made], after: list[Made], manifest: Mapping[str, Any] = TUNED, **options: Any
) -> ComparedRun:
    """The second run compared with the first."""
    baseline, run = write_run(folder, before), write_run(folder, after, manifest)
    [found] = compare(RunFolder(baseline), [RunFolder(run)], **options).runs
    return found
