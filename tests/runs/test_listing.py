"""The list of runs: from the manifests alone, in whatever state they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EngineError
from engine.runs import owner
from engine.runs.baseline import baseline_of, mark_baseline
from engine.runs.listing import Ending, ListedRun, last_results, list_runs, runs_in_progress, trials_of
from engine.runs.store import MANIFEST, RECORDS, SEARCH
from engine.statistics import Share
from tests.helpers.calls import counted_calls
from tests.helpers.made_runs import RIGHT, Made, write_run

COUNTS = {"strict": [3, 4], "unwrapped": [4, 4], "schema": [2, 4], "right": [1, 3], "errors": 1, "replies_as_one": 2.0}
RATES = {"free": COUNTS, "constrained": {**COUNTS, "strict": [4, 4]}}
ENDED = {"ended": "2026-01-01T10:00:05+00:00", "done": 5, "stopped": False}


def run(runs: Path, name: str, manifest: Any = None, *, lines: int = 0) -> Path:
    folder = runs / name
    folder.mkdir(parents=True)
    text = manifest if isinstance(manifest, str) else json.dumps({"suite": "people", "jobs": 5, **(manifest or {})})
    (folder / MANIFEST).write_text(text)
    (folder / RECORDS).write_text("{}\n" * lines)
    return folder


def only(runs: Path) -> ListedRun:
    [found] = list_runs(runs)
    return found


def test_a_run_the_engine_wrote(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [Made(RIGHT), Made(RIGHT, case="bob")])
    found = only(tmp_path)
    assert (found.folder, found.ending, found.suite, found.model) == (folder, Ending.FINISHED, "made", "made-model")
    assert (found.done, found.total, found.trial_of, found.problem) == (2, 2, None, None)
    assert found.started is not None
    assert found.started.isoformat() == "2026-01-01T10:00:00+00:00"


def test_the_rates_of_both_arms(tmp_path: Path) -> None:
    run(tmp_path, "a", {**ENDED, "rates": RATES, "adapter": {"name": "lora"}})
    found = only(tmp_path)
    assert found.rates is not None
    assert (found.rates["free"].strict, found.rates["constrained"].strict) == (Share(3, 4), Share(4, 4))
    assert found.design_effects == {"free": 2.0, "constrained": 2.0}
    assert (found.rates["free"].right, found.rates["free"].errors, found.adapter) == (Share(1, 3), 1, "lora")


@pytest.mark.parametrize(
    "free",
    [
        None,
        1,
        {},
        {**COUNTS, "strict": [5, 4]},
        {**COUNTS, "right": [-1, 4]},
        {**COUNTS, "schema": [1]},
        {**COUNTS, "replies_as_one": 0},
    ],
)
def test_rates_that_are_not_understood_are_none(tmp_path: Path, free: Any) -> None:
    run(tmp_path, "a", {**ENDED, "rates": {"free": free, "constrained": COUNTS}})
    run(tmp_path, "b", {**ENDED, "rates": [COUNTS]})
    assert [each.rates for each in list_runs(tmp_path)] == [None, None]


def test_the_state_of_a_run(tmp_path: Path) -> None:
    run(tmp_path, "finished", {**ENDED, "cancelled": 1})
    run(tmp_path, "stopped", {**ENDED, "stopped": True, "done": 2})
    run(tmp_path, "interrupted", lines=3)
    owner.claim(run(tmp_path, "running", lines=2), None)
    found = {each.folder.name: each for each in list_runs(tmp_path)}
    assert {name: (each.ending, each.done, each.total) for name, each in found.items()} == {
        "finished": (Ending.FINISHED, 5, 4),
        "stopped": (Ending.STOPPED, 2, 5),
        "interrupted": (Ending.INTERRUPTED, 3, 5),
        "running": (Ending.RUNNING, 2, 5),
    }
    assert [each.folder.name for each in runs_in_progress(tmp_path)] == ["running"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"suite": 1}', '{"jobs": "many"}', '{"started": "yesterday"}'])
def test_a_manifest_that_cannot_be_read_is_a_problem(tmp_path: Path, text: str) -> None:
    run(tmp_path, "20260102T030405Z-x", text)
    found = only(tmp_path)
    assert found.problem == "run.json is not a manifest of jsonbreak"
    assert found.started is not None
    assert found.started.isoformat() == "2026-01-02T03:04:05+00:00"


def test_what_is_no_run_is_left_out(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "nowhere") == []
    (run(tmp_path, "search") / SEARCH).write_text("{}")
    (tmp_path / "empty").mkdir()
    (tmp_path / "baseline").write_text("x")
    assert list_runs(tmp_path) == []


def test_the_newest_comes_first_and_results_are_the_newest_of_each_suite(tmp_path: Path) -> None:
    at = "2026-01-0{}T00:00:00+00:00".format
    run(tmp_path, "old", {**ENDED, "rates": RATES, "started": at(1)})
    run(tmp_path, "new", {**ENDED, "rates": RATES, "started": at(3)})
    run(tmp_path, "other", {**ENDED, "rates": RATES, "started": at(2), "suite": "invoices"})
    run(tmp_path, "trial", {**ENDED, "rates": RATES, "started": at(4), "trial_of": "new"})
    run(tmp_path, "20260105T000000Z-without-time-and-rates", lines=1)
    names = [each.folder.name for each in list_runs(tmp_path)]
    assert names == ["20260105T000000Z-without-time-and-rates", "trial", "new", "other", "old"]
    assert {suite: each.folder.name for suite, each in last_results(tmp_path).items()} == {
        "people": "new",
        "invoices": "other",
    }
    assert trials_of(tmp_path / "new") == [tmp_path / "trial"]
    assert trials_of(tmp_path / "old") == []


def test_a_run_is_listed_with_a_few_hundred_calls(tmp_path: Path) -> None:
    manifest = json.loads((write_run(tmp_path, [Made(RIGHT)]) / MANIFEST).read_text())
    for number in range(99):
        run(tmp_path, f"run-{number}", {**manifest, "rates": RATES})
    list_runs(tmp_path)  # imports and compiles what it needs
    with counted_calls() as calls:
        assert len(list_runs(tmp_path)) == 100
    assert calls.count < 100 * 400


def test_the_mark_of_the_baseline(tmp_path: Path) -> None:
    assert baseline_of(tmp_path) is None
    mark_baseline(tmp_path, "20260101T000000Z-people-smol")
    assert baseline_of(tmp_path) == "20260101T000000Z-people-smol"
    mark_baseline(tmp_path, None)
    mark_baseline(tmp_path, None)
    assert baseline_of(tmp_path) is None
    (tmp_path / "baseline").write_bytes(b"\xff")
    assert baseline_of(tmp_path) is None


def test_a_mark_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="baseline: cannot be written"):
        mark_baseline(tmp_path / "nowhere", "x")
