"""Hostile text in a reply, a suite or an event changes nothing but the text shown."""

from __future__ import annotations

import io
import re
from functools import partial
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from engine.protocol.events import Delta, JobFinished, JobStarted, Loading
from tests.helpers import story
from tests.helpers.calls import counted_calls
from tests.helpers.stage import OpenStage, Stage
from tui.widgets.job.arm_pane import ArmPane
from tui.widgets.job.stream_view import StreamView

NASTY = [
    "[red]not markup[/red] [/] [@click=app.quit]x[/] [[",
    "\x1b[2J\x1b[31mred\x1b]0;title\x07 \x9b2J bell\x07",
    "right\u202eto left\u202c \u2066x\u2069 \u200b\u200e end",
    "wide 語語語 and emoji 👩‍👩‍👧 and é e\u0301 end",
    "tab\tand\r\nnull\x00",
]


def reply_view(it: Stage, arm: str = "free") -> StreamView:
    return it.app.screen.query_one(f"#{arm}", ArmPane).query_one(StreamView)


def run_with(*texts: str) -> list[story.Step]:
    """A run with a job for each text, which is the reply in both arms."""
    jobs = [story.info("naive", f"case{number}") for number in range(len(texts))]
    steps: list[story.Step] = [Loading(texts[0][:200]), *story.ready(), story.started(jobs)]
    for job, text in zip(jobs, texts, strict=True):
        verdict = story.broken("other_syntax", 0, min(5, len(text)), f"The sentence quotes {text[:300]}")
        record = story.record("naive", job.case, story.reply(text, verdict), story.reply(text, story.ok(text[:300])))
        middle = len(text) // 2
        halves = [Delta(job.id, "both", half, 1) for half in (text[:middle], text[middle:])]
        steps += [JobStarted(job.id), *halves, JobFinished(record)]
    return [*steps, story.finished(len(jobs), len(jobs))]


def sent_to_terminal(it: Stage) -> str:
    """What the screen's lines are as bytes for a terminal, Textual's own styling left out."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", width=200)
    out = "".join(strip.render(console) for strip in it.app.screen._compositor.render_strips())
    return re.sub(r"\x1b\[[\d;]*m|\x1b\]8;[^\x1b]*\x1b\\", "", out)


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
async def test_nothing_but_the_text_changes(stage: OpenStage, size: tuple[int, int], text: str) -> None:
    async with stage(run_with(text), size) as it:
        await it.run()
        await it.sees("ok finished")
        assert len(reply_view(it).text) == len(text)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]", sent_to_terminal(it))
        assert [cell_len(strip.text) for strip in it.app.screen._compositor.render_strips()] == [size[0]] * size[1]
        assert "!! other_syntax" in it.text
        if text.startswith("[red]"):
            assert "[red]not markup[/red] [/]" in it.text


def shows(it: Stage, length: int) -> bool:
    return len(reply_view(it).text) == length


async def test_a_line_of_100_000_characters_is_drawn_and_scrolled(stage: OpenStage, size: tuple[int, int]) -> None:
    """That is as much work as scrolling a line of 4,000."""
    work = []
    texts = ['{"name": "' + "x" * length + " the end" for length in (4_000, 100_000)]
    async with stage(run_with(*texts), size) as it:
        await it.run()
        await it.sees("ok finished")
        for key, text in zip("gG", texts, strict=True):
            await it.press(key)
            await it.until(partial(shows, it, len(text)))
            await it.press("tab", "G")
            await it.sees("the end")
            with counted_calls() as calls:
                await it.press("g", "G", "pageup", "pagedown", "g")
            work.append(calls.count)
            assert it.line('{"name":').startswith(' {"name":')
            assert '"xxx' in it.text
            await it.press("shift+tab")
    assert work[1] < 2 * work[0], work


async def test_hostile_names_in_a_suite(stage: OpenStage, tmp_path: Path) -> None:
    folder = tmp_path / "nasty"
    folder.mkdir()
    suite = story.PEOPLE.replace("Name and age of the person in a sentence", "[bold]x[/] \\u001b[2J \\u202e")
    (folder / "[red]a[b].toml").write_text("x = [")
    (folder / "b.toml").write_text(suite.replace("My name is Alice", "[/] \\u001b[31m \\u0007"))
    async with stage(path=folder) as it:
        await it.sees("[red]a[b].toml")
        await it.press("j", "3")
        await it.sees("[bold]x[/] ␛[2J ␦", "[/] ␛[31m ␇")
        assert "\x1b" not in sent_to_terminal(it)
