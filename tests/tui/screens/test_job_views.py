"""One job looked at closely, by keys, on the real app: the panes, the values, the tokens, the prompt, the record."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.cells import cell_len

from engine.protocol import events
from engine.records import Record
from tests.helpers import close_story, story
from tests.helpers.calls import counted_calls
from tests.helpers.stage import OpenStage, Stage
from tests.tui.screens.test_hostile import NASTY, sent_to_terminal
from tui.widgets.job.arm_pane import ArmPane
from tui.widgets.job.job_views import JobDetails, ViewName
from tui.widgets.job.token_flow import TokenFlow
from tui.widgets.lists.job_list import JobList
from tui.widgets.views.text_view import TextView

SHARED = '{"words": [\n' + "".join(f'  "shared {number} {"x" * 40}",\n' for number in range(30))
FAR = close_story.record(
    "far",
    close_story.reply(SHARED + '"free", and a good deal more than the other says'),
    close_story.reply(SHARED + '"other"]}'),
    replace(close_story.fork(), token=3, char=len(SHARED)),
)


def views(it: Stage) -> JobDetails:
    return it.app.screen.query_one(JobDetails)


def asked(it: Stage, times: int) -> bool:
    """Whether the engine was asked so often what the model reads."""
    return len(it.received("render_prompt")) == times


def rows(it: Stage, arm: str) -> list[str]:
    view = it.app.screen.query_one(f"#{arm}", ArmPane).view
    return [view.render_line(y).text.rstrip(" ␤") for y in range(view.size.height)]


async def test_side_by_side_the_shared_part_is_on_the_same_rows_and_both_scroll_together(
    stage: OpenStage, tmp_path: Path
) -> None:
    async with stage(close_story.steps(tmp_path, [FAR]), (120, 40)) as it:
        await it.run()
        for size in ((120, 40), (121, 40), (100, 33)):
            await it.pilot.resize_terminal(*size)
            await it.sees("ok finished", "▸ fork at token 3", '▸"free", and')
            free, constrained = rows(it, "free"), rows(it, "constrained")
            parted = next(number for number, row in enumerate(free) if "▸" in row)
            assert parted > 3  # the break is in view, with what was before it
            assert free[:parted] == constrained[:parted]
            assert '▸"other"]}' in constrained[parted]
        await it.press("tab", "home")
        assert '{"words": [' in rows(it, "free")[0]
        assert rows(it, "free") == rows(it, "constrained")
        await it.press("tab", "pagedown", "down")
        assert rows(it, "free")[0] == rows(it, "constrained")[0] != ""
        await it.press("end")
        assert "more than" in "".join(rows(it, "free"))
        assert "VALUES" not in it.text
        await it.pilot.resize_terminal(120, 50)  # room for the values under the replies
        await it.sees("FREE  199 tokens", "VALUES  naive  far", "!! no value", "!! (nothing)")


async def test_stacked_panes_scroll_alone_and_what_is_cut_off_is_shown_by_z(stage: OpenStage, tmp_path: Path) -> None:
    verdict = story.broken("prose_before", 0, 5, f"Said at length: {'so it goes ' * 20}the end.")
    long = close_story.record("long", close_story.reply(SHARED, verdict), FAR.constrained)
    async with stage(close_story.steps(tmp_path, [long]), (80, 24)) as it:
        await it.run()
        await it.sees("ok finished", "so it goes so it goes", "… z: all", "no fork")
        await it.press("tab", "end", "home", "down", "down")
        assert rows(it, "free")[0] != rows(it, "constrained")[0]
        await it.press("z")
        await it.sees("so it goes the end.", "FREE", "stopped by itself", "lines below")
        assert "z: all" not in it.text
        await it.press("t")  # what takes the place of a pane that has the screen has it too
        await it.sees("TOKENS")
        assert "FREE" not in it.text
        await it.press("escape", "escape")
        await it.sees("… z: all", "CONSTRAINED", "long")


async def test_each_view_opens_by_its_key_and_closes_by_the_same_or_escape(
    stage: OpenStage, tmp_path: Path, size: tuple[int, int]
) -> None:
    made = close_story.records()
    async with stage(close_story.steps(tmp_path, made), size) as it:
        await it.run()
        await it.sees("ok finished")
        await it.press("g")
        for key, words in (
            ("v", ["VALUES  naive  alice", "expected", "!! 3 differ", "!! (nothing)"]),
            ("j", ["RECORD  naive  alice", '"id": "people/naive/alice#0"']),
            ("t", ["TOKENS", "[free 42]", "constrained 26"]),
            ("p", ["PROMPT  naive  alice"]),
        ):
            await it.press(key)
            await it.sees(*words)
            assert "CONSTRAINED  26 tokens" not in it.text
            await it.press(key if key in "vt" else "escape")
            await it.sees("FREE  42 tokens", "CONSTRAINED  26 tokens")
            assert it.app.screen.focused is it.app.screen.query_one(JobList)
        await it.press("v", "down", "down")  # the values follow the selection, and the list keeps the keys
        await it.sees("VALUES  naive  nothing", "Nothing was expected of this case")
        await it.press("j", "n")
        await it.sees("RECORD  naive  cut")
        await it.press("v")  # from one view straight to another
        await it.sees("VALUES  naive  cut", "!! no value", "xx not decoded", "constrained: No room.")
        await it.press("escape")
        assert views(it).name_shown is None


async def test_the_token_view_steps_through_the_tokens_and_tells_of_the_fork(
    stage: OpenStage, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with stage(close_story.steps(tmp_path, close_story.records()), size) as it:
        await it.run()
        await it.sees("ok finished")
        await it.press("g", "t")
        await it.sees('token 0 of 42  "Sure"  id 1000  p 99.96%', "The grammar allowed 20.34% and", "79.66%")
        assert it.line('"Sure"  ').startswith(" ▸Sure") or "▸Sure :" in it.text
        assert it.line("40.00%").split("│")[-1].split()[:4] == ["40.00%", '"Sure"', "1000", "removed"]
        assert '13.33%  " {"' in it.text
        assert it.line("100  62").split()[:3] == ["100", "62", "30"]
        await it.press("right", "right")
        await it.sees('token 2 of 42  "␤{"  id 1002  p 30.00%')
        await it.press("down")
        assert it.app.screen.query_one(TokenFlow).cursor > 2
        await it.press("home", "end")
        await it.sees("token 41 of 42", '"}"')
        await it.press("enter")
        await it.sees("token 0 of 42")
        await it.press("tab")
        await it.sees("[constrained 26]", 'token 0 of 26  "{"', "▸{")
        await it.press(*["right"] * 7)
        await it.sees("part of a character that token 9")
        await it.press("shift+tab", "down")
        await it.sees("token 0 of 26", "[1000]", "An older version made this run: it did not")


async def test_the_prompt_is_what_the_model_reads(stage: OpenStage, tmp_path: Path, size: tuple[int, int]) -> None:
    made = close_story.records()
    answers = [
        *close_story.rendered(made[0].id),
        *close_story.rendered(made[1].id, "another-model"),
        *close_story.rendered(made[2].id, error="The chat template refuses\x1b the prompt.", text="", special=()),
    ]
    async with stage(close_story.steps(tmp_path, made, *answers), size) as it:
        await it.run()
        await it.sees("ok finished")
        await it.press("g", "p")
        await it.sees("23 tokens as SmolLM2-135M-Instruct reads them", "<|im_start|>user", "␛[2J[red]語[/]<|im_end|>")
        [asked] = it.received("render_prompt")
        assert asked["messages"] == [dict(message) for message in close_story.MESSAGES]
        assert asked["template_kwargs"] == {"tools": [], "thinking": False}
        view = views(it).query_one("#prompt")
        strip = view.render_line(next(y for y in range(view.size.height) if "im_end" in view.render_line(y).text))
        assert [segment.style and segment.style.underline for segment in strip if "im_end" in segment.text] == [True]
        await it.press("n")
        await it.sees("the engine here has another-model", "role by role", "Extract [red]this[/]: ␛[2J語")
        await it.press("n")
        await it.sees("The chat template refuses␛ the prompt.", "You answer with JSON.")
        await it.press("N", "N")  # asked once is enough
        await it.sees("23 tokens")
        assert len(it.received("render_prompt")) == 3


async def test_a_job_that_is_not_finished_shows_what_there_is(
    stage: OpenStage, tmp_path: Path, size: tuple[int, int]
) -> None:
    job = story.info("json-only", "bob")
    steps = [*story.ready(), story.started([job]), events.JobStarted(job.id)]
    steps += [events.Delta(job.id, "both", "Sure", 1), *close_story.rendered(job.id), story.gate("end")]
    async with stage(steps, size) as it:
        await it.run()
        await it.sees("FREE  1 tokens")
        for key, words in (
            ("t", "The tokens are shown when the job is finished."),
            ("j", "The record is written when the job is finished."),
            ("v", "The values are compared when the job is finished."),
            ("p", "23 tokens as SmolLM2-135M-Instruct reads them"),
        ):
            await it.press(key)
            await it.sees(words)
        [asked] = it.received("render_prompt")
        assert asked["messages"][0]["content"] == "You answer with one JSON object and nothing else."
        assert "Bob turned 41" in asked["messages"][1]["content"]


async def test_two_runs_that_are_compared_are_named_and_part_where_they_differ(
    stage: OpenStage, tmp_path: Path, size: tuple[int, int]
) -> None:
    made = close_story.record("alice", close_story.reply('{"name": "A"}'), close_story.reply('{"name": "B"}'))
    async with stage(close_story.steps(tmp_path, [made]), size) as it:
        await it.run()
        await it.sees("ok finished")
        it.run_state.labels = ("baseline", "candidate")
        it.run_state.revision += 1
        await it.sees("BASELINE  9 tokens", "CANDIDATE  9 tokens", "the replies part at character 10")
        await it.press("v")
        await it.sees("baseline", "candidate", '!! "A"', '!! "B"')
        await it.press("t")
        await it.sees("[baseline 9]", "candidate 9")
        await it.press("j", "end")
        assert views(it).query_one("#record", TextView).text.count('"candidate": {') == 1


async def test_hostile_text_changes_nothing_but_the_text_of_each_view(stage: OpenStage, tmp_path: Path) -> None:
    made = [_hostile(f"case{number}", text) for number, text in enumerate(NASTY)]
    answers = [
        step for each, text in zip(made, NASTY, strict=True) for step in close_story.rendered(each.id, error=text)
    ]
    async with stage(close_story.steps(tmp_path, made, *answers), (80, 24)) as it:
        await it.run()
        await it.sees("ok finished")
        await it.press("g")
        for number, text in enumerate(NASTY):
            await it.press("p")
            await it.until(partial(asked, it, number + 1))
            for key in ("v", "t", "j", "p"):
                await it.press(key)
                assert not re.search(_STEERING, sent_to_terminal(it)), text
                assert [cell_len(strip.text) for strip in it.app.screen._compositor.render_strips()] == [80] * 24, text
            await it.press("escape", "n")


_STEERING = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]"


def _hostile(case: str, text: str) -> Record:
    verdict = story.broken("other_syntax", 0, 1, text)
    reply = replace(
        close_story.reply("abc", verdict), text=text, ends=(1, 2, len(text)), tokens=(1, 2, 3), p=(0.5,) * 3
    )
    value = close_story.reply(json.dumps({"name": text}), verdict)
    return replace(close_story.record(case, reply, value), messages=({"role": "user", "content": text},))


def selected(it: Stage, case: str) -> bool:
    return it.selected.info.case == case


async def test_ten_thousand_tokens_and_endless_lines_are_no_burden(stage: OpenStage, tmp_path: Path) -> None:
    """To move among them is as much work as where there are few."""
    replies = {
        "tokens": close_story.reply("[" + "1," * 300 + "0]"),
        "more tokens": close_story.reply("[" + "1," * 5000 + "0]"),
        "line": close_story.reply('{"name": "' + "x" * 4_000 + '"}'),
        "longer line": close_story.reply('{"name": "' + "x" * 100_000 + '"}'),
    }
    made = [close_story.record(name, reply, reply) for name, reply in replies.items()]
    work = dict.fromkeys(replies, 0)
    async with stage(close_story.steps(tmp_path, made), (120, 40)) as it:
        await it.run()
        await it.sees("ok finished")
        await it.press("g")
        for name, reply in replies.items():
            await it.until(partial(selected, it, name))
            await it.press("t")
            await it.sees(f"token 0 of {len(reply.tokens)}")
            flow = it.app.screen.query_one(TokenFlow)
            with counted_calls() as moves:
                for _ in range(10):
                    flow.move(flow.cursor + 29)
                    [flow.render_line(y) for y in range(flow.size.height)]
            with counted_calls() as shows:
                for _ in range(100):
                    views(it).show_job(it.run_state, it.selected)  # as a run in progress does, ten times a second
            assert shows.count < 20_000, "only the first may draw something"
            await it.press("escape")
            names: tuple[ViewName, ...] = ("values", "record", "tokens")
            for view in names:
                with counted_calls() as toggles:
                    views(it).toggle(view)
                assert toggles.count < 20_000 + 200 * len(reply.tokens), "it is linear in the tokens"
            work[name] = moves.count
            await it.press("escape", "down")
    assert work["more tokens"] < 2 * work["tokens"], work
    assert work["longer line"] < 2 * work["line"], work
