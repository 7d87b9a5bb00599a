"""A search on the built-in model: what it decodes, what it leaves on disk and what it prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cli.displays import search as headless
from engine.decoding.backend import LocalBackend
from engine.errors import BadInputError
from engine.models.model import LoadedModel, ModelSpec
from engine.protocol import events
from engine.protocol.commands import StartSearch
from engine.running.control import Control
from engine.runs.reading import find_run
from engine.runs.store import read_records
from engine.search.searching import search
from engine.suites.suite import load_suite
from engine.worker.options import EngineOptions
from engine.worker.session import Session
from tests.search.test_halving import suite_of

BUDGET = 24
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
    text = path.read_text()
    for number in range(12):
        spoken = f'input = "Person {number} is {number}."'
        written = f"""input = '{{"name": "Person {number}", "age": {number}}}'"""
        assert spoken in text
        text = text.replace(spoken, written)
    path.write_text(text)
    return path


@pytest.mark.model
def test_a_search_decodes_the_free_arm_within_its_budget_and_reports_held_out_cases(
    builtin_model: LoadedModel, suite: Path, tmp_path: Path
) -> None:
    emitted: list[events.Event] = []
    search(StartSearch(suite, BUDGET), Control(), lambda: LocalBackend(builtin_model), tmp_path, emitted.append)
    started, finished = emitted[0], emitted[-1]
    assert isinstance(started, events.SearchStarted)
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


@pytest.fixture
def quick_session(builtin_model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions find the model that the tests have loaded already."""

    def open_session(options: EngineOptions, emit: Callable[..., None]) -> Session:
        session = Session(ModelSpec(options.model, options.device, options.dtype), options.out, emit)
        session._backend = LocalBackend(builtin_model)
        return session

    monkeypatch.setattr(headless, "open_session", open_session)


@pytest.mark.model
@pytest.mark.usefixtures("quick_session")
def test_the_block_on_stdout_can_be_pasted_into_the_suite(
    suite: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert headless.search_headless(StartSearch(suite, BUDGET), EngineOptions(device="cpu", out=tmp_path), plain=True)
    out, err = (each.decode() for each in capsysbinary.readouterr())
    (name,) = [line.split('"')[1] for line in out.splitlines() if line.startswith("name = ")]
    assert f"# {name}: " in out
    assert "of 8 held-out cases ok" in out
    assert "95 % interval" in out
    assert "2 prompts, the better half kept after 4 cases each" in err
    assert "** winner" in err
    assert "-- dropped" in err
    pasted = tmp_path / "pasted.toml"
    own, before = suite.read_text().index("[[prompt]]"), suite.read_text()
    pasted.write_text(before[:own] + out + before[before.index("[[case]]") :])
    (prompt,) = load_suite(pasted).prompts
    (original,) = (each for each in load_suite(suite).prompts if each.name == name)
    assert prompt == original


@pytest.mark.model
@pytest.mark.usefixtures("quick_session")
def test_ctrl_c_ends_a_search_and_says_how_far_it_came(
    suite: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    emit = headless._Lines.emit

    def interrupt(display: Any, event: events.Event) -> None:
        emit(display, event)
        if isinstance(event, events.Leaderboard) and event.round is None:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(headless._Lines, "emit", interrupt)
    assert not headless.search_headless(
        StartSearch(suite, BUDGET), EngineOptions(device="cpu", out=tmp_path), plain=True
    )
    out, err = capsys.readouterr()
    assert out == ""
    assert "Stopped after 8 of 24 jobs: no prompt was judged on cases that it was not chosen on" in err
    (folder,) = tmp_path.iterdir()
    manifest = json.loads((folder / "search.json").read_text())
    assert (manifest["stopped"], manifest["found"], len(manifest["rounds"])) == (True, None, 1)
    assert len(list(read_records(folder))) == 8


def test_a_suite_with_too_few_cases_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = suite_of(tmp_path, number=5).path
    command = [sys.executable, "-m", "engine", "search", str(path), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.strip().endswith(
        "5 cases are too few to choose by some and hold out 8; a search needs a suite of at least 12 cases"
    )
    assert done.stderr.startswith(f"jsonbreak: {path}")
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()
