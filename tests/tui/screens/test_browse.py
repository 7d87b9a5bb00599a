"""The first screen, driven by keys, on the real app."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.protocol.events import PromptRendered
from tests.helpers import story
from tests.helpers.made_runs import MANIFEST, PROSE, RIGHT, Made, write_run
from tests.helpers.stage import OpenStage
from tui import keymap
from tui.pages.last_results import ago
from tui.widgets.views.text_view import TextView


async def test_suites_left_and_the_chosen_one_right(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage(size=size) as it:
        await it.sees("SUITES", "people", "2 x 3 cases", "Name and age of the person in a sentence")
        assert "2 prompts x 3 cases = 6 jobs, greedy" in it.text
        assert "Extract the name and age: {input}" in it.text
        assert "You answer with one JSON object and nothing else." in it.text
        assert " ".join(it.lines[-1].split()) == "r run o past runs / filter S search q quit ? help"


async def test_schema_and_cases_have_a_key_each(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage(size=size) as it:
        await it.sees("[1 prompts]")
        await it.press("2")
        await it.sees("[2 schema]", '"additionalProperties": false')
        await it.press("3")
        await it.sees("[3 cases]", "alice  #plain", "I am 30 years old.", '{"name": "Alice", "age": 30}')
        await it.press("tab", "G")
        await it.sees("I am [red]Zoë[/red], 7.", "(nothing; only the schema counts)")


async def test_a_suite_that_does_not_load_says_why_and_the_others_work(
    stage: OpenStage, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the sentence names the file: with a short path it is on few lines
    story.suite_folder(Path("suites"))
    async with stage(size=size, path=Path("suites")) as it:
        await it.sees("torn.toml", "!! does not load")
        await it.press("j")
        await it.sees("This does not load", "column 13", "press F5")
        await it.press("r")
        await it.sees("Fix this suite first.")
        await it.press("k")
        await it.sees("Extract the name and age")


async def test_f5_reads_a_fixed_suite(stage: OpenStage) -> None:
    async with stage() as it:
        await it.sees("!! does not load")
        await it.press("j")
        suites = it.folder / "suites"
        (suites / "torn.toml").write_text((suites / "people.toml").read_text().replace('"people"', '"fixed"', 1))
        await it.press("f5")
        await it.until(lambda: "!! does not load" not in it.text)
        await it.sees("fixed", "Extract the name and age")


async def test_an_empty_folder_says_what_to_do(stage: OpenStage, size: tuple[int, int], tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    async with stage(size=size, path=empty) as it:
        await it.sees("No suites here", "press F5", "[[prompt]]")
        await it.press("r")
        await it.sees("There is no suite to run.")


async def test_a_folder_that_disappears_is_reported_in_a_sentence(
    stage: OpenStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with stage(path=Path("gone")) as it:
        await it.sees("there is no such file or folder")


async def test_help_lists_every_key_and_closes(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage(size=size) as it:
        await it.sees("people")
        await it.press("question_mark")
        await it.sees("Help", "run the chosen suite", "to the next broken free reply")
        await it.press("G")
        await it.sees("move.page_down")
        text = it.app.screen.query_one(TextView).text
        assert all(f"  {name}\n" in text for name in keymap.NAMES)
        assert "the value equals what the case expects" in text
        await it.press("escape")
        await it.until(lambda: "move.page_down" not in it.text)
        assert "Extract the name and age" in it.text


async def test_q_quits_at_once_when_no_run_is_on(stage: OpenStage) -> None:
    async with stage() as it:
        await it.sees("people")
        await it.press("q")
        await it.until(lambda: not it.app.is_running)
        assert it.app.return_code == 0


async def test_techniques_say_what_they_are_and_cases_how_they_are_varied(stage: OpenStage) -> None:
    async with stage() as it:
        await it.sees("!! does not load")
        await it.press("j")
        suites = it.folder / "suites"
        text = (suites / "people.toml").read_text().replace('"people"', '"drawn"', 1)
        used = 'task = "Find the name"\nuse = ["think-first"]\n[variations]\nuse = ["html"]\n[generation]'
        (suites / "torn.toml").write_text(text.replace("[generation]", used, 1))
        await it.press("f5")
        await it.sees("drawn", "3 prompts x 3 cases with variations = 18 jobs")
        await it.sees("Lets the model think aloud", "source: Kojima et al.", "up to </think>, in at most 256 tokens")
        await it.press("3")
        await it.sees("variations, all that apply to a case", "html: Wraps the input in HTML elements.")


def rendered(prompt: str) -> PromptRendered:
    text = f"<|im_start|>user\n[bold]{prompt}\x1b[31m<|im_end|>"
    special = ((0, 12), (len(text) - 10, len(text)))
    return PromptRendered(f"people/{prompt}", "smol", text, 21, special)


async def test_the_prompts_as_the_model_reads_them_with_special_tokens_and_without(
    stage: OpenStage, size: tuple[int, int]
) -> None:
    gate = story.gate("asked")
    steps: list[story.Step] = [
        gate,
        rendered("naive"),
        {"do": "expect", "type": "render_prompt"},
        rendered("json-only"),
    ]
    async with stage(steps, size=size, order="render_prompt") as it:
        await it.sees("[1 prompts]")
        await it.press("t")
        await it.sees("[4 as sent]", "with the input of alice", "asking the engine")
        it.open_gate("asked")
        await it.sees("<|im_start|>user", "[bold]naive␛[31m<|im_end|>", "[bold]json-only␛[31m<|im_end|>")
        assert it.text.count("21 tokens as smol reads them, special ones underlined") == 2
        await it.press("t")
        await it.until(lambda: "<|im_" not in it.text)
        await it.sees("[bold]naive␛[31m", "t shows the special tokens")
        await it.press("1", "4", "t")
        await it.sees("<|im_start|>user")
        asked = it.received("render_prompt")
        assert [(each["id"], each["messages"][-1]["content"]) for each in asked] == [
            ("people/naive", "Extract the name and age: My name is Alice and I am 30 years old."),
            ("people/json-only", 'Name and age as {"name": ..., "age": ...}: My name is Alice and I am 30 years old.'),
        ]


async def test_a_model_that_cannot_be_asked_is_reported_and_asked_again(stage: OpenStage) -> None:
    steps: list[story.Step] = [PromptRendered("people/naive", "smol", error="No template."), {"do": "exit", "code": 3}]
    async with stage(steps, size=(120, 40), order="render_prompt") as it:
        await it.sees("[1 prompts]")
        await it.press("4")
        await it.sees("No template. The messages, role by role:", "I am 30 years old.", "ended unexpectedly")
        before = len(it.received("render_prompt"))
        await it.press("1", "4")
        await it.until(lambda: len(it.received("render_prompt")) > before)


async def test_a_text_is_looked_for_in_names_descriptions_and_inputs(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage(size=size) as it:
        await it.sees("!! does not load")
        await it.press("slash")
        await it.press(*"LAST week")
        await it.sees("1 of 2", "2 x 3 cases")
        assert "torn.toml" not in it.text
        await it.press("escape")
        await it.sees("2 of 2", "torn.toml")
        await it.press(*"torn", "enter", "4")
        await it.sees("1 of 2", "This does not load")
        await it.press("escape")
        await it.until(lambda: " of 2" not in it.text)
        assert "people" in it.text
        await it.press("slash", *"zz")
        await it.sees("0 of 2", "No suite has this text")
        await it.press("enter", "r")
        await it.sees("There is no suite to run.")
        await it.press("slash", "escape", "escape")
        await it.until(lambda: " of 2" not in it.text)
        await it.press("j", "r")
        await it.sees("Fix this suite first.")


async def test_the_last_result_of_a_suite_stands_with_it(
    stage: OpenStage, tmp_path: Path, size: tuple[int, int]
) -> None:
    half_a_day_ago = datetime.now(UTC) - timedelta(hours=12, minutes=5)
    counts = {"strict": [1, 2], "unwrapped": [1, 2], "schema": [1, 2], "right": [1, 2], "errors": 0}
    rates = {arm: {**counts, "replies_as_one": 1.0} for arm in ("free", "constrained")}
    rates["constrained"]["strict"] = [2, 2]
    facts = {**MANIFEST, "suite": "people", "rates": rates, "started": half_a_day_ago.isoformat()}
    runs = tmp_path / "runs"
    write_run(runs, [Made(PROSE, case="ann"), Made(RIGHT, case="bob")], {**facts, "model": "[b]smol\x1b[0m"})
    write_run(runs, [Made(PROSE)], {**facts, "started": "2026-01-01T10:00:00+00:00", "model": "older"})
    async with stage(size=size) as it:
        await it.sees("last run 12 h ago on [b]smol␛[0m: strict 1/2 [", "2/2 [", "] constrained")
        await it.sees("strict 1/2 2/2, 12 h ago" if size[0] > 100 else "strict 1/2 2/2")
        assert "older" not in it.text


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(minutes=5, seconds=59), "5 min ago"),
        (timedelta(hours=47), "47 h ago"),
        (timedelta(days=2), "2 d ago"),
    ],
)
def test_how_long_ago(passed: timedelta, words: str) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert ago(now - passed, now) == words
    assert ago((now - passed).replace(tzinfo=None), now) == words
    assert ago(None, now) == "some time ago"
