"""Adapters in the interface: one is chosen, runs say which answers, base and adapter stand beside each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.protocol.events import RunStarted
from tests.helpers import story
from tests.helpers.made_runs import FENCED, MANIFEST, PROSE, RIGHT, Made, write_run
from tests.helpers.stage import OpenStage
from tui.state.adapters import AdapterChoice
from tui.state.counterpart import comparable_pair

GIVEN = ["tuned", "other"]
RATE = {"strict": [1, 2], "unwrapped": [2, 2], "schema": [2, 2], "right": [1, 2], "errors": 0, "replies_as_one": 1.0}
BEFORE = [Made(FENCED, case="ann"), Made(RIGHT, case="bob")]
AFTER = [Made(RIGHT, case="ann"), Made(PROSE, case="bob")]


def made(runs: Path, day: int, adapter: str | None, jobs: list[Made] = BEFORE, **manifest: Any) -> Path:
    """A finished run of a day."""
    answers = {"name": adapter, "sha256": "ab", "live": 1.5, "remarks": [f"The adapter {adapter} is live."]}
    facts = {
        "started": f"2026-02-{day:02}T10:00:00+00:00",
        "rates": dict.fromkeys(("free", "constrained"), RATE),
        "adapter": answers if adapter else None,
    }
    return write_run(runs, jobs, {**MANIFEST, **facts, **manifest})


def test_one_of_the_given_and_the_base_can_be_chosen() -> None:
    choice = AdapterChoice.of(GIVEN)
    seen = []
    for _ in range(4):
        seen.append((choice.chosen, choice.describe()))
        choice.next()
    assert seen == [
        ("tuned", "adapter: base [tuned] other"),
        ("other", "adapter: base tuned [other]"),
        (None, "adapter: [base] tuned other"),
        ("tuned", "adapter: base [tuned] other"),
    ]
    assert AdapterChoice.of([None, "tuned"]) == AdapterChoice((None, "tuned"), None)
    assert AdapterChoice.of([None]).describe() == AdapterChoice.of([]).describe() == ""


async def test_the_chosen_adapter_answers_and_the_run_says_so(stage: OpenStage, size: tuple[int, int]) -> None:
    steps = [replace(step, adapter="other") if isinstance(step, RunStarted) else step for step in story.people_run()]
    async with stage(steps, size=size, adapters=AdapterChoice.of(GIVEN)) as it:
        await it.sees("adapter: base [tuned] other")
        assert "a adapter" in it.lines[-1]
        await it.press("a")
        await it.sees("adapter: base tuned [other]")
        await it.run()
        await it.sees(" + other")
        await it.press("escape")
        await it.sees("adapter: base tuned [other]")
    (order,) = it.received("start_run")
    assert order["adapter"] == "other"


async def test_without_adapters_there_is_nothing_to_choose(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage(story.people_run(), size=size) as it:
        await it.sees("2 prompts x 3 cases")
        await it.press("a")
        assert "adapter" not in it.text
        await it.run()
    (order,) = it.received("start_run")
    assert order["adapter"] is None


async def test_a_key_shows_base_and_adapter_beside_each_other(
    stage: OpenStage, size: tuple[int, int], tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    made(runs, 1, None)
    made(runs, 2, "tuned", AFTER)
    async with stage(size=size, runs=runs) as it:
        await it.sees("2 prompts x 3 cases")
        await it.press("o")
        await it.sees("made-model + tuned" if size[0] > 100 else "+ tuned")
        await it.press("enter")
        await it.sees("made-model + tuned", "The adapter tuned is live.")
        await it.press("b")
        await it.sees("1 fixed, 1 regressed", "BASE", "TUNED", "adapter (none, tuned)")
        assert [line.split()[0] for line in it.lines[:2]] == ["base", "tuned"], "the base is on the left"
        await it.press("escape")
        await it.sees("FREE", "CONSTRAINED")


async def test_a_run_with_nothing_beside_it_says_so(stage: OpenStage, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    made(runs, 1, "tuned")
    made(runs, 2, "tuned", AFTER)
    async with stage(runs=runs) as it:
        await it.sees("2 prompts x 3 cases")
        await it.press("o")
        await it.sees("+ tuned")
        await it.press("enter")
        await it.sees("made-model + tuned")
        await it.press("b")
        await it.sees("There is no finished run")


def test_the_counterpart_of_a_run(tmp_path: Path) -> None:
    tuned = made(tmp_path, 1, "tuned")
    assert comparable_pair(tuned) is None
    other = made(tmp_path, 2, "other")
    for folder in (tuned, other):
        assert folders(comparable_pair(folder)) == [tuned, other], "without a base the older one is the baseline"
    made(tmp_path, 4, None, model="another")
    made(tmp_path, 5, None, suite="another")
    made(tmp_path, 6, None, trial_of=tuned.name)
    made(tmp_path, 3, None)
    base = made(tmp_path, 7, None)
    assert folders(comparable_pair(tuned)) == [base, tuned], "the newest run of the base"
    assert folders(comparable_pair(base)) == [base, other]


def folders(found: Any) -> list[Path]:
    return [run.folder for run in found]
