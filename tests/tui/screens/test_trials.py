"""Trials beside a run: what they are tried on, how they are paired, and the keys for it on the real app."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomli

from engine.protocol import events
from engine.protocol.commands import StartTrial, TrialInput
from engine.records import Record
from tests.helpers import story
from tests.helpers.made_runs import MANIFEST as MADE
from tests.helpers.made_runs import Made, write_run
from tests.helpers.stage import Stage
from tui.state import intervals
from tui.state.run import RunState
from tui.state.task import Phase
from tui.state.trials import (
    Scope,
    TrialState,
    inputs_for,
    next_name,
    next_repeat,
    original_of,
    paired_results,
    trial_prompts,
)
from tui.widgets.lines.trial_line import TrialLine

BESIDE = Path("runs/20260101T000100Z-people-smol-trial")
NAMES = ("alice", "bob", "[markup]")
PROSE, CUT = story.people_records()[0].free, story.people_records()[1].free
GOOD = story.reply(story.GOOD, story.ok())


def after(prompt: str, *frees: Any) -> list[Record]:
    """What a prompt's free replies are to the three cases."""
    return [story.record(prompt, case, free, GOOD) for case, free in zip(NAMES, frees, strict=False)]


def begun(records: list[Record], model: str = "SmolLM2-135M-Instruct") -> events.RunStarted:
    """A trial begins with jobs of these records."""
    jobs = tuple(story.info(each.prompt, each.case) for each in records)
    return events.RunStarted(BESIDE, "people", model, jobs, trial_of=story.FOLDER)


def trial_steps(records: list[Record], hold: str | None = None) -> list[story.Step]:
    """The engine is asked to try something, and does; `hold` stands still before the first is finished."""
    steps: list[story.Step] = [{"do": "expect", "type": "start_trial"}, begun(records)]
    for number, each in enumerate(records):
        steps += story.streamed(each, hold=hold if number == 0 else None)
    return [*steps, events.RunFinished(BESIDE, len(records), len(records), False, 2.0)]


def run_state() -> RunState:
    """The run of people, finished."""
    state = RunState(Path("people.toml"))
    for step in story.people_run():
        if not isinstance(step, dict):
            state.apply(step)
    return state


def tried(state: RunState, records: list[Record], **changes: Any) -> TrialState:
    """A trial beside a run, from beginning to end."""
    order = StartTrial(state.suite, story.FOLDER, {"name": records[0].prompt, "user": "{input}"}, ())
    trial = TrialState(suite=state.suite, run=state, command=replace(order, **changes))
    trial.apply(begun(records))
    for each in records:
        trial.apply(events.JobFinished(each))
    trial.apply(events.RunFinished(BESIDE, len(records), len(records), False, 2.0))
    return trial


def test_names_and_inputs() -> None:
    assert next_name("naive", ["naive", "json-only"]) == "naive*2"
    assert next_name("naive", ["naive", "naive*2", "naive*3"]) == "naive*4"
    assert next_name("naive*2", ["naive", "naive*2"]) == "naive*2*2"
    named = {"naive*2": "naive", "naive*2*3": "naive*2", "naive": "naive", "a*b": "a*b", "*2": "*2", "naive*": "naive*"}
    assert {name: original_of(name) for name in named} == named

    state = run_state()

    def asked(scope: Scope, prompt: str, shown: Sequence[int] = ()) -> list[str]:
        return [each.case for each in inputs_for(scope, prompt, state, shown)]

    assert asked(Scope.BROKEN, "naive") == ["alice", "bob"], "a reply that could not be decoded is not broken"
    assert asked(Scope.ALL, "naive") == list(NAMES)
    assert asked(Scope.BROKEN, "json-only") == ["bob"]
    assert asked(Scope.FILTER, "naive", (5, 4, 1)) == ["[markup]", "bob"], "each input once, in the list's order"
    assert asked(Scope.BROKEN, "no such prompt") == []
    state.exclude("bob")
    assert asked(Scope.ALL, "naive") == ["alice", "[markup]"]
    assert asked(Scope.FILTER, "naive", (1, 4)) == []
    assert next_repeat(state.jobs[0], state) == 1


def test_pairs_against_counts_by_hand() -> None:
    state = run_state()
    before = state.rates, state.total, state.done
    rates = {arm: replace(rates) for arm, rates in state.rates.items()}
    records = after("naive*2", GOOD, CUT, GOOD)
    trial = tried(state, records)
    assert (trial.phase, trial.planned, trial.finished, trial.other_model) == (Phase.FINISHED, 3, 3, None)
    assert before == (rates, state.total, state.done), "the run's figures are the run's"
    assert [job.info.id for job in state.jobs[6:]] == [each.id for each in records]
    assert (state.trials, state.ended_trials, state.trial_running, len(state.jobs)) == (3, 3, False, 9)
    assert all(job.trial and job.finished for job in state.jobs[6:])
    assert trial_prompts(state) == ["naive*2"]
    # alice was broken and is ok, bob was and is broken, [markup] was not decoded before: it is in no pair.
    assert paired_results(state, "naive*2").counts == (0, 0, 1, 1)

    tried(state, after("naive*2*2", PROSE, GOOD, GOOD))
    assert trial_prompts(state) == ["naive*2", "naive*2*2"]
    assert paired_results(state, "naive*2*2").counts == (1, 1, 1, 0), "an edited prompt of an edited one: with that one"
    state.exclude("bob")
    assert paired_results(state, "naive*2*2").counts == (1, 1, 0, 0)
    assert paired_results(state, "naive*2").counts == (0, 0, 1, 0)
    state.exclude("bob")

    again = replace(records[0], id="people/naive*2/alice#1", repeat=1)
    job = replace(story.info("naive*2", "alice"), id=again.id, repeat=1)
    assert next_repeat(state.jobs[6], state) == 1
    state.add_jobs([job], trial=True)
    state.apply_to_job(events.JobFinished(again))
    assert next_repeat(state.jobs[6], state) == next_repeat(state.jobs[0], state) == 2
    assert paired_results(state, "naive*2").counts == (0, 0, 1, 1), "a rerun is paired with nothing"

    other = [replace(story.info("json-only*2", "alice"), input="another text")]
    state.add_jobs(other, trial=True)
    state.apply_to_job(events.JobFinished(after("json-only*2", PROSE)[0]))
    assert paired_results(state, "json-only*2").n == 0, "only the same input, word for word"


def test_a_rerun_is_no_input_of_the_suite() -> None:
    """An edited prompt is tried on the suite's inputs: a job that was run once more has a repeat the suite has not."""
    state = run_state()
    again = replace(story.people_records()[0], id="people/naive/alice#1", repeat=1)
    state.add_jobs([replace(story.info("naive", "alice"), id=again.id, repeat=1)], trial=True)
    state.apply_to_job(events.JobFinished(again))
    for scope, shown in ((Scope.BROKEN, ()), (Scope.FILTER, (0, 1, 6))):
        assert inputs_for(scope, "naive", state, shown) == (TrialInput("alice", None, 0), TrialInput("bob", None, 0))


class Line(TrialLine):
    """Keeps what it was asked to draw."""

    def words(self, state: RunState, prompt: str | None, trial: TrialState | None) -> list[str]:
        self.show(state, prompt, trial)
        return self._content.plain.split("\n")


def test_the_words_of_the_trial_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "ready", lambda: True)
    state, line = run_state(), Line()
    trial = tried(state, after("naive*2", GOOD, CUT))
    words = line.words(state, None, trial)
    assert words[0] == "naive*2 after naive: 1 fixed, 0 newly broken, 1 unchanged (all broken)"
    assert words[1].startswith("ok 0/2, then 1/2: +50.0 points (")
    assert words[1].endswith(", no difference shown")
    assert words[1].isprintable()
    assert len(words) == 2

    trial = tried(state, after("json-only*2", GOOD, CUT, CUT))
    assert (
        line.words(state, "json-only*2", trial)[0]
        == "json-only*2 after json-only: 0 fixed, 1 newly broken, 2 unchanged"
    )
    assert line.words(state, "naive*2", trial)[0].startswith("naive*2 after naive: 1 fixed"), "of the selected job"
    state.exclude("alice")
    assert line.words(state, "naive*2", trial)[0].startswith("naive*2 after naive: 0 fixed, 0 newly broken, 1 unch")
    state.exclude("alice")

    command = trial.command
    going = TrialState(suite=state.suite, run=state, command=command)
    assert line.words(state, None, going)[0] == "trial of json-only*2: 0/0 jobs  starting"
    going.apply(begun(after("json-only*3", GOOD, GOOD), model="another [b]model[/b]"))
    words = line.words(state, "naive", going)
    assert words[0] == "trial of json-only*2: 0/2 jobs  running"
    assert words[1] == "note  the trial runs on another [b]model[/b], the run did on another model"
    going.apply(events.Paused(True))
    assert line.words(state, None, going)[0] == "trial of json-only*2: 0/2 jobs  paused"
    going.apply(events.JobCancelled("people/json-only*3/alice#0"))
    assert line.words(state, None, going)[0] == "trial of json-only*2: 0/1 jobs  paused"
    going.apply(events.Failed("The prompt is \x1b[31mtoo long."))
    words = line.words(state, None, going)
    assert words[0] == "xx trial failed  The prompt is ␛[31mtoo long."
    assert (state.phase, state.trial_running) == (Phase.FINISHED, False), "the run is none the worse"


def interrupted(folder: Path, suite: Path, resumable: bool) -> Path:
    """The folder of a run that was killed after the first of its six jobs."""
    selection: dict[str, Any] = {"prompts": [], "cases": [], "limit": None, "without": []}
    manifest = {**MADE, "suite": "people", "suite_file": str(suite), "grammar": "llguidance", "jobs": 6}
    return write_run(folder, [Made("x")], {**manifest, "selection": selection} if resumable else manifest, ended=False)


async def notified(it: Stage, words: str) -> None:
    """Wait for a notification. The screen breaks it into lines."""
    await it.until(lambda: any(words in each.message for each in it.app._notifications))


async def try_edited(it: Stage) -> None:
    """Try the first job's prompt as it is, on the broken cases."""
    await it.press("home", "e")
    await it.sees("naive, edited: naive*")
    await it.press("f5")


async def test_a_trial_beside_a_finished_run(stage: Any, tmp_path: Path) -> None:
    first, second = after("naive*2", GOOD, CUT), after("naive*3", GOOD, GOOD)
    steps = [*story.people_run(), *trial_steps(first, hold="go"), *trial_steps(second, hold="never")]
    async with stage(steps, (100, 36)) as it:
        await it.run()
        await it.sees("finished")
        rates = [it.line(word) for word in ("strict ", "right ")]
        await it.press("s")
        await notified(it, "There is no edited prompt to save: e edits one.")
        await try_edited(it)
        await it.sees("trial of naive*2: 0/2 jobs  running", "trial  naive*2    alice", "trial  naive*2    bob")
        (order,) = it.received("start_trial")
        assert order["of"] == str(story.FOLDER)
        assert [each["case"] for each in order["inputs"]] == ["alice", "bob"]
        assert [it.line(word) for word in ("strict ", "right ")] == rates
        await it.press("e")
        await notified(it, "Something is running: wait for it")
        await it.press("space")
        await it.until(lambda: it.received("pause") == [{"paused": True, "type": "pause"}])
        it.open_gate("go")
        await it.sees("naive*2 after naive: 1 fixed, 0 newly broken, 1 unchanged", "ok 0/2, then 1/2: +50.0 points")
        assert [it.line(word) for word in ("strict ", "right ")] == rates, "a trial counts in no rate of the run"

        suite = tmp_path / "suites" / "people.toml"
        await it.press("s")
        await notified(it, "Saved as naive*2 in ")
        assert [each["name"] for each in tomli.loads(suite.read_text())["prompt"]] == ["naive", "json-only", "naive*2"]
        assert tomli.loads(suite.read_text())["prompt"][2]["user"] == "Extract the name and age: {input}"

        await try_edited(it)
        await it.sees("trial of naive*3: 0/2 jobs  running")
        await it.press("escape")
        await it.sees("A trial is in progress. Stop it and go back?")
        await it.press("y")
        await it.until(lambda: it.received("stop_run"))
        await it.sees("Extract the name and age")


async def test_a_case_is_excluded_and_brought_back(stage: Any) -> None:
    rest = [story.info(each.prompt, each.case) for each in story.people_records() if each.case != "bob"]
    again = [{"do": "expect", "type": "start_run"}, story.started(rest)]
    async with stage([*story.people_run(), *again], (100, 36)) as it:
        await it.run()
        await it.sees("finished")
        state = it.run_state
        rates = [it.line(word) for word in ("strict ", "right ")]
        await it.press("home", "down", "x")
        await notified(it, "bob is no longer counted, and later runs leave it out; x counts it again.")
        assert state.rates["free"].strict.n == 3
        await it.until(lambda: it.line("strict ") != rates[0])
        await it.press("x")
        await notified(it, "bob counts again.")
        await it.until(lambda: [it.line(word) for word in ("strict ", "right ")] == rates)
        await it.press("x", "r")
        await it.until(lambda: len(it.received("start_run")) == 2)
        first, second = it.received("start_run")
        assert (first["without"], second["without"], second["resume"]) == ([], ["bob"], None)
        await it.sees("Left out, since they were excluded: bob.")


@pytest.mark.parametrize("resumable", [True, False], ids=["resumed", "refused"])
async def test_r_after_the_engine_died(stage: Any, tmp_path: Path, resumable: bool) -> None:
    suites = story.suite_folder(tmp_path / "suites")
    folder = interrupted(tmp_path / "elsewhere", suites / "people.toml", resumable)
    records = story.people_records()
    jobs = tuple(story.info(each.prompt, each.case) for each in records)
    start = replace(story.started(jobs), folder=folder)
    died = [*story.ready(), start, *map(events.JobFinished, records[:3]), {"do": "exit", "code": 7}]
    async with stage(died, (100, 36), suites) as it:
        await it.run()
        await it.sees("exit code 7")
        await it.press("home", "down", "down", "x", "down", "down")
        assert it.selected.info.id == records[4].id
        await it.press("r")
        await it.until(lambda: len(it.received("start_run")) == 2)
        order = it.received("start_run")[1]
        if resumable:
            assert (order["resume"], order["grammar"]) == (str(folder), "llguidance")
            await it.until(lambda: it.run_state.resumed and it.run_state.jobs)
            assert it.selected.info.id == records[4].id, "the list keeps its place"
            assert it.run_state.excluded == {"[markup]"}, "what is excluded stays so"
            assert "Left out" not in it.text, "its jobs are in the run"
        else:
            assert (order["resume"], order["without"]) == (None, ["[markup]"])
            await notified(it, "does not say which jobs it has; start a new run. A new run starts.")
