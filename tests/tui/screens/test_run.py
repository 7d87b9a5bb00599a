"""The run screen, driven by keys, on the real app and an engine that can be held still."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest

from engine.protocol import events
from engine.protocol.events import Delta, JobCancelled, JobStarted, Loading, Remark
from tests.helpers import story
from tests.helpers.stage import OpenStage, Stage
from tui.screens.run import RunScreen
from tui.state.task import Phase
from tui.widgets.job.arm_pane import ArmPane
from tui.widgets.job.stream_view import StreamView
from tui.widgets.lists.job_list import JobList


def styles_of(it: Stage, arm: str, word: str) -> list[Any]:
    """The styles of a word in a pane, one for each character."""
    view = it.app.screen.query_one(f"#{arm}", ArmPane).query_one(StreamView)
    for y in range(view.size.height):
        strip = view.render_line(y)
        if word in strip.text:
            cells = [(char, segment.style) for segment in strip for char in segment.text]
            at = strip.text.index(word)
            return [style for _, style in cells[at : at + len(word)]]
    raise AssertionError(f"{word!r} is not in the pane {arm}:\n{it.text}")


async def test_loading_says_the_step_and_counts(stage: OpenStage, size: tuple[int, int]) -> None:
    steps: list[story.Step] = [Loading("reading weights", 34, 120, "tensors"), story.gate("a")]
    steps += [Loading("downloading", 5_000_000, None, "bytes"), story.gate("b")]
    async with stage(steps, size) as it:
        await it.run()
        await it.sees("Getting ready", ".. reading weights", "[#####...............] 34 tensors of 120 tensors")
        await it.until(lambda: re.search(r"reading weights  0:0[1-9]", it.text))
        it.open_gate("a")
        await it.sees(".. downloading", "5.0 MB", "loading  0:0")


async def test_both_arms_stream_side_by_side_or_stacked(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage(story.people_run(hold="first"), size) as it:
        await it.run()
        await it.sees("Sure, here is the JSON you asked for:", '▸{"name": "Alice", "age": 30}')
        free, constrained = it.line("FREE  18 tokens"), it.line("CONSTRAINED  8 tokens")
        assert (free == constrained) == (size[0] >= 100)
        assert it.line("> ..").split()[:6] == [">", "..", "running", "..", "running", "naive"]
        assert "-- waiting" in it.line("bob")
        assert "fork at token 0: wanted" in it.text
        assert 'grammar allowed "{" 3.0% (allowed 3.4% in all)' in it.text
        assert "running  0:0" in it.lines[0]


async def test_a_finished_run_says_so_and_shows_every_verdict(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage(story.people_run(), size) as it:
        await it.run()
        await it.sees("ok finished  6 of 6 jobs", str(story.FOLDER))
        await it.press("g")
        assert it.lines[0].startswith(" free  ")
        assert it.lines[1].startswith(" constrained  strict ")
        assert it.lines[2].startswith(f" ok finished  6 of 6 jobs  0:12  saved in {story.FOLDER}")
        assert it.line("> ").split()[:6] == [">", "!!", "prose_before", "ok", "naive", "alice"]
        assert it.line("bob").split()[:6] == ["!!", "truncated", "!!", "wrong_value", "naive", "bob"]
        assert it.line("[markup]").split()[:6] == ["xx", "error", "xx", "error", "naive", "[markup]"]
        await it.sees("!! prose_before  There are 37 characters of")


async def test_the_break_is_marked_reversed_and_underlined(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage(story.people_run(), size) as it:
        await it.run()
        await it.sees("ok finished")
        await it.press("g")
        assert all(style.reverse and style.underline for style in styles_of(it, "free", "Sure, here is"))
        assert not any(style.reverse for style in styles_of(it, "free", '{"name"'))
        assert not any(style.reverse for style in styles_of(it, "constrained", '{"name"'))


async def test_a_break_is_marked_while_the_reply_still_streams(stage: OpenStage, size: tuple[int, int]) -> None:
    job = story.people_records()[0]
    steps = story.streamed(job, hold="marked")
    said = "The reply does not begin with JSON but with S"
    steps.insert(2, events.Broke(job.id, "free", 0, 1, said))
    steps = [*story.ready(), story.started([story.info(job.prompt, job.case)]), *steps, story.finished(1, 1)]
    async with stage(steps, size) as it:
        await it.run()
        await it.sees("Sure, here is the JSON", "you asked", f".! broke  {said[:20]}")
        assert it.line("> ").split()[1:5] == [".!", "broke", "..", "running"]
        first, *others = styles_of(it, "free", "Sure, here is")
        assert first.reverse
        assert first.underline
        assert not any(style.reverse for style in others)
        it.open_gate("marked")
        await it.sees("ok finished", "!! prose_before")
        assert ".!" not in it.text


async def test_a_break_of_no_length_shows_a_marked_cell(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage(story.people_run(), size) as it:
        await it.run()
        await it.sees("ok finished")
        await it.press("g", "down")
        await it.sees('{"name": ▸"Bob", "age": ¦', "cut off at the token limit", "!! truncated  The reply ends")
        [style] = styles_of(it, "free", "¦")
        assert style.reverse
        assert style.underline


async def test_what_both_arms_share_is_dim(stage: OpenStage) -> None:
    async with stage(story.people_run()) as it:
        await it.run()
        await it.sees("ok finished")
        await it.press("g", "down")
        await it.sees('"Bob"')
        assert all(style.dim for style in styles_of(it, "free", '{"name": '))
        assert not any(style.dim for style in styles_of(it, "free", '"Bob"'))


def selects(jobs: JobList, number: int) -> bool:
    return jobs.cursor == number


async def test_n_and_shift_n_go_round_the_broken_cases(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage(story.people_run(), size) as it:
        await it.run()
        await it.sees("ok finished")
        jobs = it.app.screen.query_one(JobList)
        await it.press("g")
        for key, cursor in zip("nnnNN", (1, 4, 0, 4, 1), strict=True):
            await it.press(key)
            await it.until(partial(selects, jobs, cursor))
        await it.sees('"Bob"', "!! truncated")


async def test_the_selection_follows_until_the_user_moves_and_is_never_stolen(stage: OpenStage) -> None:
    records = story.people_records()
    steps = [*story.ready(), story.started(story.info(each.prompt, each.case) for each in records)]
    for number, each in enumerate(records):
        steps += [*story.streamed(each), story.gate(f"after{number}")]
    async with stage([*steps, story.finished(6, 6)]) as it:
        await it.run()
        jobs = it.app.screen.query_one(JobList)
        await it.until(lambda: it.run_state.done == 1)
        it.open_gate("after0")
        await it.until(lambda: jobs.cursor == 1)
        await it.press("up")
        assert jobs.cursor == 0
        for number in range(1, 6):
            it.open_gate(f"after{number}")
        await it.sees("ok finished")
        assert jobs.cursor == 0
        assert it.line("> ").split()[4:6] == ["naive", "alice"]


async def test_the_job_looked_at_is_preferred_and_c_cancels_a_job(stage: OpenStage, size: tuple[int, int]) -> None:
    records = story.people_records()
    infos = [story.info(each.prompt, each.case) for each in records]
    steps = [*story.ready(), story.started(infos), JobStarted(records[0].id), Delta(records[0].id, "both", "Sure", 1)]
    for each in (records[3], records[0]):
        steps += [{"do": "expect", "type": "cancel"}, JobCancelled(each.id)]
    for each in (records[1], records[2], records[4], records[5]):
        steps += story.streamed(each)
    async with stage([*steps, story.gate("end"), story.finished(4, 4)], size) as it:
        await it.run()
        await it.sees("Sure")
        for _ in range(3):
            it.app.simulate_key("down")  # all at once: a job that the cursor rests on is preferred
        await it.until(lambda: it.received("prefer"))
        await it.press("c")
        await it.sees("~~ cancelled")
        assert it.line("> ").split()[1:7] == ["~~", "cancelled", "~~", "cancelled", "json-only", "alice"]
        assert "0/5 jobs" in it.lines[0]
        await it.press("g")  # a job that runs is not preferred, and is cancelled too
        await it.pilot.pause(0.5)
        await it.press("c")
        await it.sees("4/4 jobs")
        assert it.line("> ").split()[1:6] == ["~~", "cancelled", "~~", "cancelled", "naive"]
        await it.press("c")
        await it.sees("There is nothing to cancel")
        it.open_gate("end")
        await it.sees("ok finished  4 of 4 jobs, 2 cancelled")
        assert [each["job"] for each in it.received("prefer")] == [records[3].id]
        assert [each["job"] for each in it.received("cancel")] == [records[3].id, records[0].id]


async def test_remarks_take_a_line_and_a_job_begun_again_begins_anew(stage: OpenStage, size: tuple[int, int]) -> None:
    job = story.people_records()[0]
    steps = [*story.ready(), story.started([story.info("naive", "alice")], remarks=("[b]minimum\x1b at /age is not.",))]
    steps += [JobStarted(job.id), Delta(job.id, "both", "first words", 2), story.gate("again")]
    steps += [Remark(f"Memory ran out, and so {'on ' * 60}."), JobStarted(job.id), Delta(job.id, "both", "anew", 1)]
    async with stage([*steps, story.gate("end"), story.finished(0, 1)], size) as it:
        await it.run()
        await it.sees("first words", " remark: [b]minimum␛ at /age is not.")
        assert it.app.screen.focused is it.app.screen.query_one(JobList)
        it.open_gate("again")
        await it.sees("anew", " 2 remarks: Memory ran out, and so on", "…  (i shows all)")
        assert "first words" not in it.text
        assert "FREE  1 tokens" in it.text
        await it.press("i")
        await it.sees("1. [b]minimum␛ at /age is not.", "2. Memory ran out", "on on .")
        await it.press("escape")
        assert isinstance(it.app.screen, RunScreen)


async def test_space_pauses_and_resumes(stage: OpenStage, size: tuple[int, int]) -> None:
    steps = [*story.people_run(hold="x")[:-1]]
    at = steps.index(story.gate("x"))
    asked = {"do": "expect", "type": "pause"}
    steps[at : at + 1] = [asked, events.Paused(True), asked, events.Paused(False)]
    async with stage([*steps, story.finished(6, 6)], size) as it:
        await it.run()
        await it.sees("▸")
        await it.press("space")
        await it.sees("paused  0:0")
        await it.press("space")
        await it.sees("ok finished")
        assert [command["paused"] for command in it.received("pause")] == [True, False]


async def test_tab_goes_through_the_panes_and_z_gives_one_the_screen(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage(story.people_run(), size) as it:
        await it.run()
        await it.sees("ok finished")
        await it.press("g", "z")  # from the list, the free arm is the one to see whole
        assert "FREE" in it.text
        assert "CONSTRAINED" not in it.text
        await it.press("z")
        assert "━FREE" in it.text
        await it.press("z")
        assert "CONSTRAINED" not in it.text
        assert "!! prose_before" in it.text
        await it.press("z")
        assert "CONSTRAINED" in it.text
        assert "6 of 6 jobs" in it.lines[2]
        await it.press("tab")
        assert "━CONSTRAINED" in it.text
        await it.press("tab")
        assert it.app.screen.focused is it.app.screen.query_one(JobList)


async def test_q_asks_while_a_run_is_on_and_escape_stays(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage(story.people_run(hold="never"), size) as it:
        await it.run()
        await it.sees("▸")
        await it.press("q")
        await it.sees("A run is in progress. Stop it and quit?", "Stay (esc)", "Stop and quit (y)")
        await it.press("escape")
        await it.until(lambda: isinstance(it.app.screen, RunScreen))
        assert it.runner.busy
        assert it.received("stop_run") == []
        await it.press("q", "y")
        await it.until(lambda: not it.app.is_running)
        assert len(it.received("stop_run")) == 1


async def test_enter_on_the_question_stays(stage: OpenStage) -> None:
    async with stage(story.people_run(hold="never")) as it:
        await it.run()
        await it.sees("▸")
        await it.press("q", "enter")
        await it.until(lambda: isinstance(it.app.screen, RunScreen))
        assert it.runner.busy


async def test_ctrl_c_asks_and_a_second_one_stops(stage: OpenStage) -> None:
    async with stage(story.people_run(hold="never")) as it:
        await it.run()
        await it.sees("▸")
        await it.press("ctrl+c")
        await it.sees("A run is in progress.")
        await it.press("ctrl+c")
        await it.until(lambda: not it.app.is_running)


async def test_escape_goes_back_asking_and_the_next_run_uses_the_same_engine(stage: OpenStage) -> None:
    async with stage(story.people_run(hold="first")) as it:
        await it.run()
        await it.sees("▸")
        await it.press("escape")
        await it.sees("Stop it and go back?")
        await it.press("y")
        await it.sees("Extract the name and age")
        assert it.run_state.phase is Phase.STOPPED
        client = it.runner._client
        it.open_gate("first")
        await it.press("r")
        await it.sees("ok finished  6 of 6 jobs")
        assert it.runner._client is client
        await it.press("escape")
        await it.sees("Extract the name and age")


async def test_a_failure_is_shown_and_r_runs_again(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage([events.Failed("The folder models/none holds no model.", bad_input=True)], size) as it:
        await it.run()
        await it.sees("xx failed  The folder models/none holds no model.", "r starts the run again", "failed  0:0")
        await it.press("r")
        await it.until(lambda: len(it.received("start_run")) == 2)


async def test_an_engine_that_dies_is_reported_with_its_log_and_the_app_lives(
    stage: OpenStage, size: tuple[int, int]
) -> None:
    records = story.people_records()
    steps = [*story.ready(), story.started(story.info(each.prompt, each.case) for each in records)]
    steps += [*story.streamed(records[0]), {"do": "stderr", "text": "CUDA error [red]: out of memory\x1b[2J"}]
    steps += [JobStarted(records[1].id), {"do": "exit", "code": 9}]
    async with stage(steps, size) as it:
        await it.run()
        await it.sees("xx failed  The engine ended unexpectedly with exit code 9.")
        assert "CUDA error [red]: out of memory␛[2J" in it.text
        assert str(story.FOLDER) in it.text
        assert "!! prose_before" in it.text
        assert it.line("> ").split()[1:8] == [*["--", "not", "run"] * 2, "naive"]
        await it.press("r")  # a new engine is started for the next run
        await it.until(lambda: len(it.received("start_run")) == 2)
        await it.sees("xx failed")
        await it.press("q")
        await it.until(lambda: not it.app.is_running)


async def test_no_constrained_arm_says_why(stage: OpenStage, size: tuple[int, int]) -> None:
    why = "the schema uses patternProperties, which has no grammar"
    free = story.reply(story.PROSE, story.people_records()[0].free.verdict)
    record = story.record("naive", "alice", free, story.reply("", None, finish="error", error=why))
    steps = [*story.ready(), story.started([story.info("naive", "alice")], why), JobStarted(record.id)]
    steps += [Delta(record.id, "free", "Sure", 1), story.gate("end"), events.JobFinished(record), story.finished(1, 1)]
    async with stage(steps, size) as it:
        await it.run()
        await it.sees(
            "xx no constrained arm: the schema uses patternProperties", "no fork: there is no constrained arm"
        )
        pane = it.app.screen.query_one("#constrained", ArmPane).query_one(StreamView)
        assert pane.text == why
        it.open_gate("end")
        await it.sees("ok finished", "xx error")
        assert pane.text == why
        assert it.lines[1].startswith(" constrained  strict 0/0 -")


async def test_a_growing_reply_is_followed_until_the_reader_scrolls_up(stage: OpenStage) -> None:
    lines = [f"line {number}\n" for number in range(60)]
    job = story.job_id("naive", "alice")
    steps = [*story.ready(), story.started([story.info("naive", "alice")]), JobStarted(job)]
    steps += [Delta(job, "free", "".join(lines[:30]), 30), story.gate("more")]
    steps += [Delta(job, "free", line, 1) for line in lines[30:]] + [story.gate("end")]
    async with stage(steps) as it:
        await it.run()
        await it.sees("line 29")
        await it.press("tab", "pageup", "pageup")
        await it.until(lambda: "line 29" not in it.text)
        top = it.app.screen.query_one("#free", ArmPane).query_one(StreamView).scroll_offset.y
        it.open_gate("more")
        await it.until(lambda: it.run_state.jobs[0].tokens("free") == 60)
        await it.sees("lines below")
        assert it.app.screen.query_one("#free", ArmPane).query_one(StreamView).scroll_offset.y == top
        await it.press("G")
        await it.sees("line 59")


async def test_resizing_does_not_stop_the_following(stage: OpenStage) -> None:
    job = story.job_id("naive", "alice")
    steps = [*story.ready(), story.started([story.info("naive", "alice")]), JobStarted(job)]
    for turn in range(5):
        steps += [Delta(job, "free", f"{turn} word\n" * 40 + f"end of {turn}\n", 30), story.gate(f"gate{turn}")]
    async with stage(steps) as it:
        await it.run()
        for turn, size in enumerate([(120, 40), (80, 50), (80, 24), (110, 30), (80, 24)]):
            await it.sees(f"end of {turn}")
            await it.pilot.resize_terminal(*size)
            await it.press("tab")
            it.open_gate(f"gate{turn}")


async def test_resizing_stacks_the_panes_and_keeps_the_place(stage: OpenStage) -> None:
    async with stage(story.people_run(), (120, 40)) as it:
        await it.run()
        await it.sees("ok finished")
        await it.press("g", "down")
        await it.pilot.resize_terminal(80, 24)
        await it.until(lambda: "FREE  5 tokens" in it.text and "CONSTRAINED  7" not in it.line("FREE  5 tokens"))
        await it.until(lambda: re.search(r"> .* naive +bob ", it.text))
        await it.pilot.resize_terminal(120, 40)
        await it.until(lambda: re.search(r"FREE  5 tokens.*CONSTRAINED  7", it.text))
        await it.press("G")
        await it.pilot.resize_terminal(80, 24)
        await it.until(lambda: re.search(r"> +ok +ok +json-only +\[markup\]", it.text))


@pytest.mark.parametrize("size", [(40, 12), (60, 15), (200, 60)], ids=str)
async def test_other_sizes_do_not_break_it(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage(story.people_run(), size) as it:
        await it.sees("SUITES")
        await it.press("r")
        await it.until(lambda: it.app.runner is not None and it.run_state.over)
        await it.sees("finished")
