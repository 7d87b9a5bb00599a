"""Pairs of small runs, and the command."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main as cli
from engine.comparing.comparison import ComparedRun, compare
from engine.runs.reading import RunFolder
from tests.helpers.made_runs import EXPECTED, FENCED, MANIFEST, RIGHT, Made, write_run

LORA = {"name": "tuned", "path": "out/tuned", "sha256": "ab" * 32, "base": "made-model", "live": 0.1}
TUNED = {**MANIFEST, "adapter": LORA}
REPLIES = {True: RIGHT, False: FENCED}


def jobs(outcomes: Iterable[bool], **same: Any) -> list[Made]:
    """A job for each: whether its free reply is as asked. The constrained one is, always."""
    return [
        Made(REPLIES[outcome], case=f"case-{number}", expected=EXPECTED, **same)
        for number, outcome in enumerate(outcomes)
    ]


def paired(both: int, only_first: int, only_second: int, neither: int) -> tuple[list[Made], list[Made]]:
    """The jobs of two runs, of so many cases."""
    kinds = [(True, True)] * both + [(True, False)] * only_first + [(False, True)] * only_second
    kinds += [(False, False)] * neither
    return jobs(first for first, _ in kinds), jobs(second for _, second in kinds)


def compared(
    folder: Path, before: list[Made], after: list[Made], manifest: Mapping[str, Any] = TUNED, **options: Any
) -> ComparedRun:
    """The second run beside the first."""
    baseline, run = write_run(folder, before), write_run(folder, after, manifest)
    [found] = compare(RunFolder(baseline), [RunFolder(run)], **options).runs
    return found


def jsonbreak(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int | str | None:
    """Run a command in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", ["jsonbreak", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as exit_:
        return exit_.code
    return 0
