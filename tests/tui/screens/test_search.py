"""The search screen, driven by keys, on the real app and a scripted engine; a real search is in tests/search."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.protocol import events
from tests.helpers import story
from tests.helpers.stage import OpenStage, Stage
from tests.search.test_halving import NAIVE, suite_of
from tui.state.task import Phase

LONG = "key-list+json-only+few-shot+persona+delimiters+repeat+prefill+checklist"
BLOCK = '# few-shot: 9 of 20\n[[prompt]]\nname = "few-shot"\nuser = """\nWho?\n{input}"""\n'


@pytest.fixture
def suites(tmp_path: Path) -> Path:
    folder = tmp_path / "searchable"
    folder.mkdir()
    suite_of(folder, number=12)
    return folder


def standing(prompt: str, k: int, n: int, round_: int, state: str) -> events.Standing:
    return events.Standing(prompt, k, n, k / n - 0.1, k / n + 0.1, round_, state)  # type: ignore[arg-type]


FIRST = events.Leaderboard(
    1,
    (standing("few-shot", 2, 4, 1, "in play"), standing(LONG, 1, 4, 1, "in play"), standing("own", 1, 4, 1, "in play")),
)
LAST = events.Leaderboard(
    None,
    (
        standing("few-shot", 16, 20, 2, "winner"),
        standing(LONG, 15, 20, 2, "dropped"),
        standing("own", 1, 4, 1, "dropped"),
    ),
)
FOUND = events.Found(
    "few-shot",
    *(9, 20, 0.26, 0.66, 16, 20),
    events.Lead("own", 0, 0.45, 0.2, 0.66, 0.0039),
    (events.StillWrong("html", "wrong_value", 'Expected "Yusuf [b]Demir[/b]" at /name.'),),
    BLOCK,
)


def searching(folder: Path, found: events.Found | None = FOUND) -> list[story.Step]:
    started = events.SearchStarted(folder, "small", "SmolLM2-135M-Instruct", 3, (4, 20), 72, 20, "own", ("A remark.",))
    return [
        *story.ready(),
        started,
        FIRST,
        events.Progress(8, 72, 4, 100, 41.3, 1.5),
        story.gate("first"),
        LAST,
        story.gate("last"),
        events.SearchFinished(folder, 72, found is None, 9.0, found),
    ]


async def test_a_leaderboard_while_prompts_are_tried_then_the_honest_figure(
    stage: OpenStage, size: tuple[int, int], suites: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "20260101T000000Z-search-small-smol"
    async with stage(searching(folder), size, suites, "start_search") as it:
        await it.sees("1 x 12 cases")
        await it.press("S")
        await it.sees("round 1 of 2: 3 of 3 prompts left", "8/72 jobs  41 tok/s", "baseline: own", "running  0:0")
        assert it.line("  1 few-shot").split() == ["1", "few-shot", "2/4", "50%", "40-60%", "1", "..", "in", "play"]
        assert it.line(" 2 key-list+").split()[-3:] == ["..", "in", "play"]
        assert all(len(line) <= size[0] for line in it.lines)
        await it.press("w")
        await it.sees("There is no winner yet.")
        await it.press("space")
        await it.until(lambda: it.received("pause"))
        it.open_gate("first")
        await it.sees("the winner and the baseline on held-out cases", "** winner", "-- dropped")
        it.open_gate("last")
        await it.sees("ok finished", "few-shot: 9 of 20 held-out cases ok, 45% (95 % interval 26 to 66%).")
        await it.sees("Difference: +45 points (95 % interval +20 to +66", "!! wrong_value  html", "Yusuf [b]Demir[/b]")
        assert it.received("start_search")[0]["budget"] == 400
        await check_the_block(it, folder)
        await it.press("escape")
        await it.sees("1 x 12 cases")


async def check_the_block(it: Stage, folder: Path) -> None:
    """It can be read to its end, copied and written."""
    await it.press("w")
    await it.until(lambda: folder.with_name(f"{folder.name}.toml").exists())
    assert folder.with_name(f"{folder.name}.toml").read_text() == BLOCK
    await it.sees("Written to")
    await it.press("y")
    await it.sees("Sent to")
    assert it.app.clipboard == BLOCK
    await it.press("tab", "G")
    await it.sees("LEADERBOARD", "** winner", "1/4 25%", "chosen by")


async def test_escape_asks_and_stops_the_search(stage: OpenStage, suites: Path, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    steps = [*searching(folder)[:5], {"do": "expect", "type": "stop_run"}]
    steps += [events.SearchFinished(folder, 8, True, 2.0, None), story.gate("never")]
    async with stage(steps, path=suites, order="start_search") as it:
        await it.sees("1 x 12 cases")
        await it.press("S")
        await it.sees("round 1 of 2")
        await it.press("q")
        await it.sees("A search is in progress. Stop it and quit?")
        await it.press("escape", "escape")
        await it.sees("A search is in progress. Stop it and go back?")
        await it.press("y")
        await it.sees("1 x 12 cases")
        found = it.runner.search
        assert found is not None
        assert found.finished is not None
        assert found.phase is Phase.STOPPED
        assert found.finished.done == 8


async def test_a_search_that_fails_says_why(stage: OpenStage, suites: Path) -> None:
    steps = [events.Failed("The folder models/none holds no model.", bad_input=True)]
    async with stage(steps, path=suites, order="start_search") as it:
        await it.sees("1 x 12 cases")
        await it.press("S")
        await it.sees("xx failed  The folder models/none holds no model.", "r starts the search again", "failed  0:0")
        await it.press("r")
        await it.until(lambda: len(it.received("start_search")) == 2)


async def test_a_suite_with_too_little_is_not_searched(
    stage: OpenStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("small")
    folder.mkdir()
    suite_of(folder, number=5, prompts=NAIVE)
    async with stage(path=folder, order="start_search") as it:
        await it.sees("1 x 5 cases")
        await it.press("S")
        await it.until(lambda: any("5 cases are too few" in each.message for each in it.app._notifications))
        assert it.app.runner is None


async def test_the_help_lists_the_keys_of_a_search(stage: OpenStage) -> None:
    async with stage(size=(80, 180)) as it:
        await it.press("question_mark")
        await it.sees("A search", "write the winner's [[prompt]] block to a file", "search for the best plain prompt")
