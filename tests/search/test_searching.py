"""A search on the built-in model: what it decodes, what it leaves on disk and what it prints."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cli.displays import search as headless
from engine.errors import INTERRUPTED, BadInputError
from engine.protocol import events
from engine.runs.reading import find_run
from engine.runs.store import read_records
from engine.suites.suite import load_suite
from tests.helpers.command import Command
from tests.search.test_halving import suite_of

BUDGET, TOKENS = 24, 18
WORDS = "You repeat what you are shown."
OWN = f"""
[[prompt]]
name = "own"
user = "Who? {{input}}"
[[prompt]]
name = "copied"
system = "{WORDS}"
user = "Reply with the JSON in this text, and with nothing else: {{input}}"
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve cases, which are JSON already: one prompt asks for a copy of them, the other does not."""
    folder = tmp_path_factory.mktemp("suite")
    path = suite_of(folder, number=12, prompts=OWN).path
    text = path.read_text().replace("max_new_tokens = 24", f"max_new_tokens = {TOKENS}")
    for number in range(12):
        spoken = f'input = "Person {number} is {number}."'
        written = f"""input = '{{"name": "Person {number}", "age": {number}}}'"""
        assert spoken in text
        text = text.replace(spoken, written)
    path.write_text(text)
    return path


Spy = Callable[[Callable[[events.Event], object]], None]


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    """Has a function called with each event after it was shown."""
    emit = headless._Lines.emit

    def also_call(see: Callable[[events.Event], object]) -> None:
        def show(display: Any, event: events.Event) -> None:
            emit(display, event)
            see(event)

        monkeypatch.setattr(headless._Lines, "emit", show)

    return also_call


@pytest.mark.model
@pytest.mark.usefixtures("shared_model")
def test_a_search_decodes_the_free_arm_within_its_budget_and_reports_held_out_cases(
    suite: Path, tmp_path: Path, jsonbreak: Command, spy: Spy
) -> None:
    emitted: list[events.Event] = []
    spy(emitted.append)
    done = jsonbreak("search", suite, "--budget", BUDGET, "--out", tmp_path, "--device", "cpu", "--plain")
    assert done.returncode == 0, done.stderr
    check_block(suite, tmp_path / "pasted.toml", done.stdout, done.stderr)
    kinds, finished = [type(each) for each in emitted], emitted[-1]
    assert kinds[kinds.index(events.ModelReady) + 1] is events.SearchStarted
    assert isinstance(finished, events.SearchFinished)
    assert finished.folder.name.split("-", 1)[1] == "search-small-SmolLM2-135M-Instruct"
    records = list(read_records(finished.folder))
    assert len(records) == finished.done <= BUDGET
    assert {each.constrained.finish for each in records} == {"error"}
    assert {each.constrained.error for each in records} == {"The search decodes the free arm alone."}
    assert all(each.free.verdict is not None for each in records)
    check_manifest(json.loads((finished.folder / "search.json").read_text()), finished, records)
    with pytest.raises(BadInputError, match="this is the folder of a search"):
        find_run(str(finished.folder), tmp_path)
    with pytest.raises(BadInputError, match="there are no runs here"):
        find_run("last", tmp_path)


def check_manifest(manifest: dict[str, Any], finished: events.SearchFinished, records: list[Any]) -> None:
    """The figure is recomputed from the records of held-out cases, on which no candidate was chosen."""
    found = finished.found
    assert found is not None
    assert manifest["found"] == json.loads(events.encode_event(finished))["found"]
    assert (manifest["budget"], manifest["done"], manifest["stopped"]) == (BUDGET, finished.done, False)
    assert manifest["versions"]["transformers"]
    choosing, held_out = set(manifest["choosing"]), set(manifest["held_out"])
    assert not choosing & held_out
    (one,) = manifest["rounds"]
    assert set(one["cases"]) <= choosing
    chosen = {each["prompt"]: each for each in one["standings"]}
    assert set(chosen) == {"own", "copied"}
    mine = [each for each in records if each.prompt == found.prompt]
    ok = {each.case for each in mine if each.free.verdict.classes == ("ok",)}
    assert (found.k, found.n) == (len(ok & held_out), 8)
    assert chosen[found.prompt]["k"] == len(ok & choosing) == found.chosen_k
    assert chosen[found.prompt]["state"] == "winner"
    assert chosen[found.prompt]["k"] == max(each["k"] for each in chosen.values())
    assert {each.case for each in found.failures} == held_out - ok
    assert found.low <= found.k / found.n <= found.high
    if found.lead is not None:
        assert found.lead.difference == (found.k - found.lead.k) / 8


def check_block(suite: Path, pasted: Path, out: str, err: str) -> None:
    """The block on stdout can be pasted into the suite."""
    (name,) = [line.split('"')[1] for line in out.splitlines() if line.startswith("name = ")]
    assert f"# {name}: " in out
    assert "of 8 held-out cases ok" in out
    assert "95 % interval" in out
    assert "2 prompts, the better half kept after 4 cases each" in err
    assert "** winner" in err
    assert "-- dropped" in err
    own, before = suite.read_text().index("[[prompt]]"), suite.read_text()
    pasted.write_text(before[:own] + out + before[before.index("[[case]]") :])
    (prompt,) = load_suite(pasted).prompts
    (original,) = (each for each in load_suite(suite).prompts if each.name == name)
    assert prompt == original


@pytest.mark.model
@pytest.mark.usefixtures("shared_model")
def test_ctrl_c_ends_a_search_and_says_how_far_it_came(
    suite: Path, tmp_path: Path, jsonbreak: Command, spy: Spy
) -> None:
    def interrupt(event: events.Event) -> None:
        if isinstance(event, events.Leaderboard) and event.round is None:
            os.kill(os.getpid(), signal.SIGINT)

    spy(interrupt)
    short = tmp_path / "short.toml"
    short.write_text(suite.read_text().replace(f"max_new_tokens = {TOKENS}", "max_new_tokens = 2"))
    done = jsonbreak("search", short, "--budget", BUDGET, "--out", tmp_path / "out", "--device", "cpu", "--plain")
    assert (done.returncode, done.stdout) == (INTERRUPTED, "")
    assert "Stopped after 8 of 24 jobs: no prompt was judged on cases that it was not chosen on" in done.stderr
    (folder,) = (tmp_path / "out").iterdir()
    manifest = json.loads((folder / "search.json").read_text())
    assert (manifest["stopped"], manifest["found"], len(manifest["rounds"])) == (True, None, 1)
    assert len(list(read_records(folder))) == 8


def test_a_suite_with_too_few_cases_is_refused_in_a_sentence(tmp_path: Path, jsonbreak: Command) -> None:
    path = suite_of(tmp_path, number=5).path
    done = jsonbreak("search", path, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.strip().endswith(
        "5 cases are too few to choose by some and hold out 8; a search needs a suite of at least 12 cases"
    )
    assert done.stderr.startswith(f"jsonbreak: {path}")
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()
