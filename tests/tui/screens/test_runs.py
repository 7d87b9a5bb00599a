"""Past runs: listed, found, opened, followed, compared, stopped, in the real program."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.runs import owner
from engine.runs.baseline import baseline_of
from engine.runs.store import RECORDS, SEARCH
from tests.helpers import story
from tests.helpers.made_runs import FENCED, MANIFEST, PROSE, RIGHT, Made, write_run
from tests.helpers.stage import OpenStage, Stage
from tui.screens.browse import BrowseScreen
from tui.screens.compare import CompareScreen
from tui.screens.opened import OpenedScreen
from tui.screens.runs import RunsScreen
from tui.state.job import JobState
from tui.widgets.lists.job_list import JobList

ENGINE = """
import json, signal, sys, time
from pathlib import Path
from engine.runs import owner
folder, lines = Path(sys.argv[1]), Path(sys.argv[2]).read_bytes().splitlines(keepends=True)
def stop(number, frame):
    manifest = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**manifest, "ended": manifest["started"], "stopped": True, "done": 1}))
    owner.release(folder)
    sys.exit()
signal.signal(signal.SIGTERM, stop)
owner.claim(folder, None)
print("begun", flush=True)
for line in lines:
    sys.stdin.readline()
    with (folder / "records.jsonl").open("ab") as file:
        file.write(line)
sys.stdin.readline()
owner.release(folder)
"""
COUNTS = {"strict": [3, 4], "unwrapped": [4, 4], "schema": [2, 4], "right": [1, 3], "errors": 0, "replies_as_one": 1.0}
RATES = {"free": COUNTS, "constrained": {**COUNTS, "strict": [4, 4]}}


def made(runs: Path, day: int, jobs: list[Made], **manifest: Any) -> Path:
    """A finished run of a day."""
    started = f"2026-02-{day:02}T10:00:00+00:00"
    return write_run(runs, jobs, {**MANIFEST, "started": started, "rates": RATES, **manifest})


BEFORE = [Made(FENCED, case="ann"), Made(RIGHT, case="bob"), Made(RIGHT, case="cem"), Made(PROSE, case="dan")]
AFTER = [Made(RIGHT, case="ann"), Made(RIGHT, case="bob"), Made(FENCED, case="cem"), Made(PROSE, case="dan")]


@pytest.fixture
def going_on(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run of four jobs, one of them done, and the process that works on it: a job for each line on its stdin."""
    folder = write_run(tmp_path / "runs", AFTER, {**MANIFEST, "suite": "people"}, ended=False)
    owner.release(folder)  # this process has only made it up
    lines = (folder / RECORDS).read_bytes().splitlines(keepends=True)
    (folder / RECORDS).write_bytes(lines[0])
    (tmp_path / "rest").write_bytes(b"".join(lines[1:]))
    command = [sys.executable, "-c", ENGINE, str(folder), str(tmp_path / "rest")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.terminate()


def case_of_record(it: Stage) -> str:
    """The case of the selected job, as its record has it."""
    record = it.selected.record
    assert record is not None
    return record.case


def jobs_of(it: Stage) -> list[JobState]:
    """The jobs of the comparison on the screen."""
    state = it.screen(CompareScreen).state
    assert state is not None
    return state.jobs


def hold_as_the_run_of(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()


async def test_the_list_is_found_through_and_marked(stage: OpenStage, tmp_path: Path, size: tuple[int, int]) -> None:
    runs = tmp_path / "runs"
    made(runs, 1, BEFORE, model="[red]smol[/red]\x1b[31m")
    made(runs, 2, AFTER, suite="invoices", model="qwen")
    stopped = made(
        runs, 3, AFTER, suite="people", adapter={"name": "lora"}, done=2, stopped=True, ended="2026-02-03T11:00:00Z"
    )
    manifest = json.loads((stopped / "run.json").read_text())
    (stopped / "run.json").write_text(json.dumps({**manifest, "stopped": True, "done": 2}))
    made(runs, 4, AFTER, trial_of=stopped.name)
    search = runs / "20260101T000000Z-people-smol"
    search.mkdir()
    (search / SEARCH).write_text("{}")
    async with stage(size=size) as it:
        await it.press("o")
        await it.sees("-- stopped", "lora", "qwen")
        rows = [line for line in it.lines if "02-0" in line and "10:00" in line]
        assert [row[2:].split()[0] for row in rows] == (
            ["2026-02-03", "2026-02-02", "2026-02-01"] if size[0] > 100 else ["02-03", "02-02", "02-01"]
        )
        assert "2/4" in rows[0]
        assert "3/4" in rows[1]
        assert "[red]smol[/red]␛[31m" in it.text or size[0] < 100
        await it.sees("people on made-model + lora  (1 trial)", "free         strict 3/4", "[30-9")
        await it.press("slash", *"qwen")
        await it.sees("1 of 3")
        assert "lora" not in it.text
        await it.press("enter", "b")
        await it.until(lambda: baseline_of(runs) is not None)
        assert "B " in it.line("02-02 10:00")
        await it.sees("(the baseline)")
        await it.press("slash", *"zzz")
        await it.sees("0 of 3", "No run has this text.")
        await it.press("escape", "escape")
        await it.sees("lora")
        assert " of 3" not in it.text
        assert it.line("qwen").startswith("B ")
        assert not it.line("lora").startswith("B ")
        await it.press("escape")
        await it.until(lambda: isinstance(it.app.screen, BrowseScreen))


async def test_no_runs_yet(stage: OpenStage) -> None:
    async with stage() as it:
        await it.press("o")
        await it.sees("No runs in", "esc, then r")
        await it.press("enter", "c", "x", "w", "b")
        await it.sees("There is no run here.")


async def test_a_run_is_opened_and_stepped_through(stage: OpenStage, tmp_path: Path, size: tuple[int, int]) -> None:
    folder = made(tmp_path / "runs", 1, BEFORE)
    write_run(tmp_path / "runs", [Made(FENCED, prompt="naive-2")], {**MANIFEST, "trial_of": folder.name})
    async with stage(size=size) as it:
        await it.press("o")
        await it.sees("(1 trial)")
        await it.press("enter")
        await it.until(lambda: isinstance(it.app.screen, OpenedScreen))
        await it.sees("ok finished", "!! code_fence", '"name": "Ann"', "made  made-model")
        assert case_of_record(it) == "ann"
        await it.press("n")
        assert case_of_record(it) == "dan"
        await it.sees("It is Ann.")
        await it.press("n")
        assert (it.selected.info.prompt, it.selected.trial) == ("naive-2", True)
        (folder / RECORDS).write_bytes(b"")
        await it.press("up", "up")
        await it.sees("The records of this run")
        await it.press("space")
        await it.sees("This run is over.")
        await it.press("escape")
        await it.until(lambda: isinstance(it.app.screen, RunsScreen))


async def test_a_run_that_is_on_is_offered_followed_and_stopped(
    stage: OpenStage, tmp_path: Path, size: tuple[int, int], going_on: subprocess.Popen[bytes]
) -> None:
    async with stage(size=size) as it:
        await it.sees("An engine is at work on people", "1/4", "Follow it (f)", "Leave it (esc)")
        await it.press("enter")  # the first answer has the focus
        await it.until(lambda: isinstance(it.app.screen, OpenedScreen))
        await it.sees("running", "1/4 jobs")
        hold_as_the_run_of(going_on)
        await it.sees("2/4 jobs")
        await it.press("space")
        await it.sees("Another engine works on this run")
        await it.press("escape", "o")
        await it.sees(".. running", "2/4")
        await it.press("x")
        await it.sees("Stop the run of people?")
        await it.press("y")
        assert going_on.wait(20) == 0
        await it.press("f5")
        await it.sees("-- stopped")
        await it.press("x")
        await it.sees("No engine works on this run.")


async def test_the_offer_is_declined_or_taken_up_to_stop(
    stage: OpenStage, tmp_path: Path, going_on: subprocess.Popen[bytes]
) -> None:
    async with stage() as it:
        await it.sees("Leave it (esc)")
        await it.press("escape")
        await it.sees("Extract the name and age")
        assert going_on.poll() is None
    async with stage() as it:
        await it.sees("Stop it (x)")
        await it.press("x")
        assert going_on.wait(20) == 0
        await it.sees("asked to stop")


async def test_a_run_beside_its_baseline(stage: OpenStage, tmp_path: Path, size: tuple[int, int]) -> None:
    baseline = made(tmp_path / "runs", 1, BEFORE)
    tuned = made(tmp_path / "runs", 2, AFTER, model="tuned")
    made(tmp_path / "runs", 3, [Made(RIGHT, case="zoe")], suite="other")
    async with stage(size=size) as it:
        await it.press("o")
        await it.sees("tuned")
        await it.press("c")
        await it.sees("There is no baseline yet")
        await it.press("end", "b", "c")
        await it.sees("This is the baseline itself")
        await it.press("up", "c")
        await it.until(lambda: isinstance(it.app.screen, CompareScreen))
        await it.sees("free arm: 1 fixed, 1 regressed, 2 unchanged", "no difference shown", "BASELINE", "CANDIDATE")
        await it.sees("The runs differ in: model (made-model, tuned)")
        assert "2/4" in it.line("ok 2/4")
        jobs = it.app.screen.query_one(JobList)
        await it.press("n")
        assert jobs_of(it)[jobs.cursor].info.case == "cem"
        await it.press("N")
        assert jobs_of(it)[jobs.cursor].info.case == "cem"
        await it.press("a")
        await it.sees("constrained arm: 0 fixed, 0 regressed, 4 unchanged")
        assert jobs_of(it)[jobs.cursor].info.case == "cem"
        await it.press("n")
        await it.sees("Nothing has regressed.")
        await it.press("w")
        await it.sees("The comparison is in")
        file = tuned.with_name(f"{tuned.name}-against-{baseline.name}.html")
        assert "Comparison: <code>tuned</code> against <code>made-model</code>" in file.read_text()
        await it.press("escape")
        await it.until(lambda: isinstance(it.app.screen, RunsScreen))
        await it.press("home", "c")
        await it.sees("These runs have no job in")
        await it.until(lambda: isinstance(it.app.screen, RunsScreen))


async def test_the_report_is_written_beside_the_run(stage: OpenStage, tmp_path: Path) -> None:
    folder = made(tmp_path / "runs", 1, BEFORE)
    async with stage(size=(120, 40)) as it:
        await it.press("o")
        await it.sees("made-model")
        await it.press("w")
        await it.sees("Written:")
    assert (tmp_path / "runs" / f"{folder.name}.html").read_text().startswith("<!DOCTYPE html>")


async def test_a_run_with_missing_jobs_is_resumed_and_a_finished_one_run_again(
    stage: OpenStage, tmp_path: Path
) -> None:
    selection: dict[str, Any] = {"prompts": [], "cases": [], "limit": None, "without": []}
    suite = {"suite_file": "suites/people.toml", "selection": selection}
    folder = write_run(tmp_path / "runs", BEFORE, {**MANIFEST, **suite}, ended=False)
    owner.release(folder)
    manifest = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**manifest, "jobs": 6}))
    made(tmp_path / "runs", 1, AFTER, **suite)
    async with stage(story.people_run()) as it:
        await it.press("o")
        await it.sees("!! interrupted", "ok finished")
        await it.press("enter")
        await it.sees("ok finished", "4 of 4 jobs")
        await it.press("r")
        await it.sees("6 of 6 jobs")
        assert not isinstance(it.app.screen, OpenedScreen)
        await it.press("escape")
        await it.sees("4 of 4 jobs")
        await it.press("escape", "end", "enter")
        await it.sees("-- stopped", "4 of 6 jobs")
        await it.press("r")
        await it.sees("6 of 6 jobs")
        assert [command["resume"] for command in it.received("start_run")] == [None, str(folder)]
