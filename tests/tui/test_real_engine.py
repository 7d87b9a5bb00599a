"""The interface on the real engine and the built-in model."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from engine.protocol.events import Event, JobStarted
from engine.worker.options import DecodingOptions
from tests.helpers import story
from tests.helpers.stage import Stage
from tui.app import JsonbreakApp
from tui.process.runner import Runner
from tui.state.run import RunState
from tui.state.task import Phase
from tui.text.safe import visible
from tui.widgets.job.arm_pane import ArmPane
from tui.widgets.job.stream_view import StreamView
from tui.widgets.lists.job_list import JobList


@pytest.mark.model
async def test_a_run_to_the_records_and_another_paused_steered_and_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suites = tmp_path / "suites"
    suites.mkdir()
    (suites / "people.toml").write_text(story.PEOPLE.replace("max_new_tokens = 96", "max_new_tokens = 8"))
    command = [sys.executable, "-m", "engine", "worker", "--device", "cpu", "--out", str(tmp_path / "runs")]
    app = JsonbreakApp(suites, command, tmp_path / "engine.log", decoding=DecodingOptions(batch=2))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        it = Stage(app, pilot, tmp_path)
        await it.run()
        await it.sees("Getting ready")
        await it.until(lambda: it.run_state.over, seconds=240)
        await it.sees("ok finished  6 of 6 jobs")
        assert it.run_state.folder is not None
        await check_against_records(it, it.run_state.folder)
        client = it.runner._client
        await it.press("r")
        await it.until(lambda: it.run_state.jobs, seconds=60)
        await it.press("space")
        await it.sees("paused  0:")
        begun = record_starts(monkeypatch)
        preferred = record_preferences(monkeypatch)
        await it.press("G", "up", "c")
        await it.sees("~~ cancelled")
        await it.press("G")
        await it.until(lambda: it.run_state.jobs[-1].info.id in preferred)
        await it.press("space")
        await it.until(lambda: begun)
        assert begun[0] == it.run_state.jobs[-1].info.id
        await it.press("escape", "y")
        await it.sees("2 prompts x 3 cases")
        assert it.run_state.phase is Phase.STOPPED
        assert it.runner._client is client


def record_starts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs that begin from now on, in order."""
    begun: list[str] = []
    apply = RunState.apply

    def listen(state: RunState, event: Event) -> None:
        if isinstance(event, JobStarted):
            begun.append(event.job)
        apply(state, event)

    monkeypatch.setattr(RunState, "apply", listen)
    return begun


def record_preferences(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs that the engine is asked to decode next from now on, in order."""
    preferred: list[str] = []
    prefer = Runner.prefer

    async def listen(runner: Runner, job: str) -> None:
        await prefer(runner, job)
        preferred.append(job)

    monkeypatch.setattr(Runner, "prefer", listen)
    return preferred


async def check_against_records(it: Stage, folder: Path) -> None:
    """What the screen shows of each job is what its record says."""
    records = {each["id"]: each for each in map(json.loads, (folder / "records.jsonl").read_text().splitlines())}
    state = it.run_state
    assert len(records) == len(state.jobs) == 6
    await it.press("g")
    for number, job in enumerate(state.jobs):
        assert it.app.screen.query_one(JobList).cursor == number
        record = records[job.info.id]
        classes = [record[arm]["verdict"]["classes"][0] for arm in ("free", "constrained")]
        words = [word for word in it.line("> ").replace("!!", "").split() if word in ("ok", *classes)]
        assert words == classes
        for arm in ("free", "constrained"):
            view = it.app.screen.query_one(f"#{arm}", ArmPane).query_one(StreamView)
            assert view.text == visible(record[arm]["text"])
        if record["fork"]:
            assert f"fork at token {record['fork']['token']}: wanted" in it.text
        await it.press("down")
