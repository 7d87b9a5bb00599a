"""The measure of 100,000 jobs does not rot: it is taken of a few. Nothing here is timed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.runner import ROOT
from tests.bench.scale import Cost, measure
from tests.helpers.large_run import write_large_run


def test_what_a_command_takes(tmp_path: Path) -> None:
    baseline, run = (write_large_run(tmp_path, 300, shift) for shift in (0, 1))
    compare = ["compare", str(baseline), str(run), "--out", str(tmp_path / "compared.md")]
    # In a process of its own: the system counts what this one had, which may hold a model, to the peak of its children.
    program = f"import json; from tests.bench.scale import measure; print(json.dumps(vars(measure({compare!r}))))"
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    cost = Cost(**json.loads(said.stdout))
    assert cost.processor > 0
    assert cost.seconds > 0
    assert 20e6 < cost.peak < 1e9, "Python itself takes as much, and a few jobs no more"
    text = (tmp_path / "compared.md").read_text(encoding="utf-8")
    assert "300 jobs compared, paired by id." in text
    assert "| `naive` | free |" in text


def test_a_command_that_fails_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        measure(["compare", str(tmp_path), str(tmp_path)])
