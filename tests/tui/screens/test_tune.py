"""A LoRA tuned from the interface: the real `jsonbreak tune` on a tiny model, and what the screen makes of it."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import torch

from engine.protocol.events import Failed, Loading, Remark
from engine.protocol.tune_events import TuneBegun, TuneSaved, TuneStep
from engine.worker.options import EngineOptions
from tests.helpers import story
from tests.helpers.made_runs import MANIFEST, PROSE, Made, write_run
from tests.helpers.stage import Stage
from tests.helpers.tiny_models import save_model, save_tokenizer
from tui.app import JsonbreakApp
from tui.process.tune import TuneForm, TuneProcess, TuneState, format_bars, tune_command
from tui.screens.run import RunScreen
from tui.screens.tune import TuneScreen, format_progress

FORM = TuneForm(4, 1, Path("out"))
BEGUN = TuneBegun(steps=3, rows=20, train_cases=8, test_cases=2, trainable=1000)


@asynccontextmanager
async def tuning(folder: Path) -> AsyncIterator[Stage]:
    """The screen on a run of ten cases, of a tiny model that speaks words."""
    torch.manual_seed(0)
    save_model(folder / "tiny")
    save_tokenizer(folder / "tiny")
    jobs = [Made(PROSE, case=f"c{number}", input=f"hello {number}", expected="world") for number in range(10)]
    write_run(folder / "runs", jobs, {**MANIFEST, "schema": {}, "grammars": []})
    options = EngineOptions(device="cpu", model=str(folder / "tiny"), out=folder / "runs")
    command = [sys.executable, "-m", "engine", *options.to_argv()]
    app = JsonbreakApp(story.suite_folder(folder / "suites"), command, folder / "engine.log", options=options)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        it = Stage(app, pilot, folder)
        await it.sees("people")
        await it.press("o")
        await it.sees("made")
        await it.press("enter")
        await it.until(
            lambda: isinstance(app.screen, RunScreen) and app.screen.state is not None and app.screen.state.over
        )
        await it.press("T")
        await it.sees("Tune a LoRA on this run")
        yield it


async def test_a_tune_from_the_interface_leaves_an_adapter_and_says_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with tuning(tmp_path) as it:
        await it.press("backspace", "2", "tab", "backspace", "1", "enter")
        await it.sees("starting PyTorch ...")
        await it.until(lambda: "ok  The adapter is in" in it.text, seconds=120)
        assert "8 rows of 8 cases, 2 cases held out" in it.text
        assert "step 1 of 1  loss " in it.text
        state = it.screen(TuneScreen)._state
        assert state is not None
        assert state.saved is not None
        assert "--only-cases" in state.saved.next[-1]
        (adapter,) = (tmp_path / "adapters").iterdir()
        card = json.loads((adapter / "card.json").read_text(encoding="utf-8"))
        assert (card["settings"]["rank"], card["settings"]["epochs"]) == (2, 1)
        await it.press("escape")
        assert isinstance(it.app.screen, RunScreen)


async def test_a_tune_is_ended_after_a_question_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with tuning(tmp_path) as it:
        await it.press("delete", "backspace", "enter")
        await it.sees("whole numbers from 1 to")
        await it.press("8", "enter")
        await it.sees("starting PyTorch ...")
        tune = it.screen(TuneScreen)._process
        assert tune is not None
        process = tune._process
        assert process is not None
        await it.press("escape")
        await it.sees("A tune is in progress. End it? Nothing of it is saved.")
        await it.press("escape")
        assert process.returncode is None
        await it.press("escape", "y")
        await it.sees("Ended: nothing was saved.")
        assert process.returncode is not None
        assert not (tmp_path / "adapters").exists()
        assert isinstance(it.app.screen, TuneScreen)


async def test_what_goes_wrong_is_told_in_its_own_words(tmp_path: Path) -> None:
    said = 'print("no event"); import sys; sys.exit("It broke: \\x1b[2J")'
    events = [each async for each in TuneProcess([sys.executable, "-c", said]).events()]
    assert events == [Failed("The tune ended with exit code 1: It broke: \x1b[2J")]
    events = [each async for each in TuneProcess([str(tmp_path / "nothing")]).events()]
    assert events == [Failed("The tune could not be started: No such file or directory.")]
    state = TuneState()
    state.apply(Failed("It broke: \x1b[2J"))
    assert "\x1b" not in format_progress(state, 40).plain


def test_the_command_is_the_engines_with_its_model() -> None:
    options = EngineOptions(device="cuda:1", dtype="auto", model="m", out=Path("r"))
    assert tune_command(options, Path("run"), FORM) == [
        *(sys.executable, "-m", "engine", "tune", "run", "--rank", "4", "--epochs", "1", "--out", "out"),
        *("--device", "cuda:1", "--model", "m", "--json-lines"),
    ]
    assert tune_command(EngineOptions(remote="ssh"), Path("run"), FORM) is None


def test_the_words_follow_the_events() -> None:
    state = TuneState()
    said = []
    for event in (
        Loading("loading tiny"),
        Remark("1 row left out."),
        BEGUN,
        TuneStep(1, 3, 2.0, 61.0),
        TuneStep(2, 3, 0.5, 30.0),
        TuneSaved(Path("out"), 9.0, ("jsonbreak run s",)),
    ):
        state.apply(event)
        said.append(format_progress(state, 40).plain.splitlines())
    assert said[0] == ["loading tiny ..."]
    assert said[3][1:] == ["20 rows of 8 cases, 2 cases held out", "step 1 of 3  loss 2.0000  1:01 left", "█"]
    assert said[5][2:4] == ["step 2 of 3  loss 0.5000  0:30 left", "█▃"]
    assert state.over


def test_bars() -> None:
    assert format_bars([], 9) == ""
    assert format_bars([0.0, 0.0], 9) == "▁▁"
    assert format_bars([8.0, 8.0, 4.0, 4.0, 0.0, 0.0], 3) == "█▅▁"
