"""The measurement of starts does not rot: both checkouts in turn, and each task once on this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import startup
from tests.bench.runner import ROOT


def test_two_checkouts_are_measured_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "")
    visited: list[Path] = []

    def task() -> float:
        visited.append(Path.cwd())
        return float(len(visited))

    assert startup._compared(task, tmp_path, runs=1) == ("3.000", "4.000", "1.33")  # the first of each is left out
    assert visited == [tmp_path, ROOT] * 2


def test_a_command_and_the_first_paint_take_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert startup._seconds(["--version"]) > 0
    assert startup._first_paint("suites") > 0
