"""The list's gestures on the real app: filters, following, stepping, the matrix."""

from __future__ import annotations

import re

from engine.protocol import events
from engine.protocol.events import JobStarted
from tests.helpers import story
from tests.helpers.made_state import made_state
from tests.helpers.stage import OpenStage, Stage
from tui.screens.filter import FacetList, FilterScreen
from tui.screens.matrix import MatrixScreen
from tui.screens.run import RunScreen
from tui.state.filters import Filter, Outcome
from tui.widgets.fields.quiet_input import QuietInput
from tui.widgets.lists.job_list import JobList


def rows(it: Stage) -> list[str]:
    """What the list shows under its header, without what it shows of the inputs."""
    jobs = it.app.screen.query_one(JobList)
    shown = [line.split("input of")[0].rstrip() for line in it.lines[jobs.region.y + 1 : jobs.region.bottom]]
    return [line for line in shown if line]


def cases(it: Stage) -> list[str]:
    """Prompt and case of each row."""
    return [" ".join(row.split()[-2:]) for row in rows(it)]


async def test_a_text_is_found_while_it_is_typed_kept_and_cleared(stage: OpenStage) -> None:
    async with stage(story.people_run()) as it:
        await it.run()
        await it.sees("ok finished")
        jobs = it.app.screen.query_one(JobList)
        await it.press("g", "down", "down")  # on naive [markup]
        await it.press("slash", *"BOB")
        await it.sees("/BOB", "2 of 6")
        assert cases(it) == ["naive bob", "json-only bob"]
        assert "[markup]" not in it.line("> ")
        await it.press("escape")  # clears, and the cursor is back
        await it.sees("6 of 6")
        assert jobs.cursor == 2
        assert isinstance(it.app.focused, QuietInput)
        await it.press(*"wrong_v", "down", "enter")  # the arrows move the list
        await it.sees('filter: "wrong_v"  2 of 6  (esc clears)')
        assert it.app.focused is jobs
        assert jobs.cursor == 4
        await it.press("slash", "escape", "escape")
        assert it.app.focused is jobs
        assert "filter" not in it.text
        assert len(rows(it)) == min(6, jobs.size.height - 1)
        assert jobs.cursor == 4
        await it.press("slash", *"free")
        await it.pilot.click("#jobs", offset=(5, 0))  # somewhere else
        await it.until(lambda: it.app.focused is jobs)
        await it.sees('filter: "free"  0 of 6')
        await it.press("escape", "slash", *"nowhere")
        await it.sees("No job matches the filter. esc clears it and shows all 6 again.", "0 of 6")
        await it.press("enter", "n")
        await it.sees("No free reply is broken.")
        await it.press("escape")  # on the list, it clears the filter; the next one would leave
        assert "filter:" not in it.text
        assert jobs.cursor == 4
        assert isinstance(it.app.screen, RunScreen)


async def test_what_is_pasted_to_be_found_is_made_safe(stage: OpenStage) -> None:
    async with stage(story.people_run()) as it:
        await it.run()
        await it.sees("ok finished")
        await it.press("slash")
        it.app.screen.query_one(QuietInput).insert_text_at_cursor("a\x1b[2J\u202e")
        await it.sees("/a␛[2J␦", "0 of 6")
        assert it.screen(RunScreen).view.filter == Filter(text="a␛[2J␦")


async def test_facets_combine_with_each_other_and_the_text(stage: OpenStage) -> None:
    async with stage(story.people_run()) as it:
        await it.run()
        await it.sees("ok finished")
        await it.press("slash", *"alice", "enter", "F")
        await it.sees("Filter", "[x] all ", '2 of 6  "alice"')
        assert isinstance(it.app.screen, FilterScreen)
        assert re.search(r"\[ \] broken free +1 ", it.text)
        assert re.search(r"\[ \] truncated +0 ", it.text)
        await it.press("down", "space")
        strip = it.app.screen.query_one(FacetList).render_line(2)
        assert "broken free" in strip.text
        assert all(
            segment.style and segment.style.reverse for segment in strip if segment.text.strip()
        )  # seen without colours too
        await it.sees("[x] broken free", '1 of 6  broken free, "alice"')
        await it.press("tab", "space")
        await it.sees("[x] prose_before", '1 of 6  broken free, class prose_before, "alice"')
        await it.press("escape")
        await it.sees('filter: broken free, class prose_before, "alice"  1 of 6  (esc clears)')
        assert cases(it) == ["naive alice"]
        await it.press("F", "0")
        await it.sees("6 of 6  all jobs")
        await it.press("F")
        assert isinstance(it.app.screen, RunScreen)
        assert "filter:" not in it.text


async def test_following_is_shown_stops_with_any_movement_and_resumes(stage: OpenStage) -> None:
    records = story.people_records()
    steps = [*story.ready(), story.started(story.info(each.prompt, each.case) for each in records)]
    for number, each in enumerate(records):
        steps += [*story.streamed(each), story.gate(f"after{number}")]
    async with stage([*steps, story.finished(6, 6)]) as it:
        await it.run()
        jobs = it.app.screen.query_one(JobList)
        await it.until(lambda: it.run_state.done == 1)
        await it.sees("following")
        await it.press("up")
        assert "following" not in it.text
        it.open_gate("after0")
        it.open_gate("after1")
        await it.until(lambda: it.run_state.done == 3)
        assert jobs.cursor == 0
        await it.press("f")
        await it.sees("following")
        assert jobs.cursor == 2
        await it.press("f")
        assert "following" not in it.text
        await it.press("F", "down", "space", "escape", "f")  # the newest is not broken: the newest that is is followed
        await it.sees("filter: broken free  2 of 6", "following")
        for number in range(2, 5):
            it.open_gate(f"after{number}")
        await it.until(lambda: it.run_state.done == 6)
        await it.until(lambda: jobs.cursor == 4)
        it.open_gate("after5")
        await it.sees("ok finished")
        await it.press("f")
        await it.sees("There is no newest job to follow")


async def test_the_position_is_kept_while_the_filter_lets_in_more(stage: OpenStage) -> None:
    names = [f"case{number:02}" for number in range(30)]
    bad = story.broken("prose_before", 0, 1, "No.")
    made = [story.record("naive", name, story.reply("x", bad), story.reply("y", story.ok())) for name in names]
    steps = [*story.ready(), story.started(story.info("naive", name) for name in names)]
    late, early = made[20:], made[:20]
    for each in late:
        steps += [JobStarted(each.id), events.JobFinished(each)]
    steps.append(story.gate("early"))
    for each in early:
        steps += [JobStarted(each.id), events.JobFinished(each)]
    async with stage([*steps, story.gate("end")]) as it:
        await it.run()
        jobs = it.app.screen.query_one(JobList)
        await it.until(lambda: it.run_state.done == 10)
        await it.press("F", "down", "space", "escape", "g", "down", "down", "down", "down", "down", "down")
        assert jobs.cursor == 26
        before = rows(it)
        it.open_gate("early")
        await it.sees("filter: broken free  30 of 30")
        await it.pilot.pause(0.2)
        assert jobs.cursor == 26
        assert rows(it) == before


async def test_brackets_go_to_the_next_of_the_same_class_round_the_end(stage: OpenStage) -> None:
    async with stage(story.people_run()) as it:
        await it.run()
        await it.sees("ok finished")
        jobs = it.app.screen.query_one(JobList)
        await it.press("G", "right_square_bracket")
        await it.sees("Neither reply of this job is broken")
        await it.press("up")  # json-only bob, the only free reply with a wrong value
        await it.press("right_square_bracket")
        await it.sees("No other job shown is broken by")
        assert jobs.cursor == 4


async def test_the_matrix_counts_live_and_opens_the_jobs_of_a_cell(stage: OpenStage, size: tuple[int, int]) -> None:
    async with stage(story.people_run(hold_last="end"), size) as it:
        await it.run()
        await it.until(lambda: it.run_state.done == 6)
        await it.press("m")
        assert isinstance(it.app.screen, MatrixScreen)
        await it.sees("prompts by variations   ok   free", "all prompts")
        assert it.line("naive ").split() == ["naive", "0/2", "0%", "0/2", "0%"]
        assert it.line("json-only ").split() == ["json-only", "2/3", "67%", "+", "2/3", "67%", "+"]
        await it.sees("all prompts  all: 2 of 5 replies, 40%, 95% interval [")
        await it.press("a", "a")
        await it.sees("ok   constrained minus free, in points")
        assert it.line("naive ").split() == ["naive", "+1/2", "+50", "+1/2", "+50"]
        await it.press("a", "v", "v")
        await it.sees("prompts by classes   with the class   free", "prose_b")
        await it.press("down", "right")
        await it.sees("naive  prose_before: 1 of 2 replies, 50%")
        await it.press("r")
        await it.sees("By classes the share")
        await it.press("enter")
        await it.sees("filter: class prose_before of free, prompt naive  1 of 6  (esc clears)")
        assert cases(it) == ["naive alice"]
        await it.press("m", "escape")
        await it.sees("filter: class prose_before of free, prompt naive  1 of 6")


async def test_a_wide_matrix_scrolls_sideways_beside_the_names(stage: OpenStage) -> None:
    async with stage(story.people_run()) as it:
        await it.run()
        await it.sees("ok finished")
        state = made_state(30)
        state.labels = ("baseline", "candidate")
        await it.app.push_screen(RunScreen(it.runner, state))
        await it.pilot.resize_terminal(60, 24)
        await it.press("m", "v", "v", "a", "a")
        await it.sees("candidate minus", "edited (trial)", " >")
        assert "wrong_value" not in it.text
        await it.press("right", "right", "right")
        await it.sees("wrong_value", "<", "edited (trial)", "points")
        await it.pilot.resize_terminal(80, 24)
        await it.press("escape", "F")
        await it.sees("fixed", "regressed", "unchanged")
        await it.press("down", "down", "space", "escape")
        await it.sees("filter: regressed", "BASELINE", "CANDIDATE")
        assert it.screen(RunScreen).view.filter == Filter(outcome=Outcome.LOST)
        await it.press("escape", "G")
        assert " trial    naive" in it.line("> ")
