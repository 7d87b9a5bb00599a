from __future__ import annotations

from pathlib import Path

import pytest

from engine.protocol import events
from engine.protocol.events import Broke, Delta, Forked, JobCancelled, JobFinished, JobStarted, Remark
from engine.statistics import Share
from tests.helpers import story
from tui.state.job import Mark
from tui.state.run import RunState
from tui.state.task import EngineDied, Phase
from tui.widgets.job.fork_line import describe_fork, format_percent
from tui.widgets.lines.remark_line import format_remarks
from tui.widgets.lines.status_line import clock, progress_parts
from tui.widgets.lists.job_row import format_verdict


@pytest.fixture
def state() -> RunState:
    """A run that has started."""
    state = RunState(Path("people.toml"))
    state.apply(story.started(story.info(each.prompt, each.case) for each in story.people_records()))
    return state


def play(state: RunState, steps: list[story.Step]) -> None:
    for step in steps:
        assert not isinstance(step, dict)
        state.apply(step)


def test_a_whole_run() -> None:
    state = RunState(Path("people.toml"))
    play(state, story.people_run())
    assert state.phase is Phase.FINISHED
    assert state.done == 6
    assert [job.mark("free") for job in state.jobs] == [
        Mark.BROKEN, Mark.BROKEN, Mark.ERROR, Mark.OK, Mark.BROKEN, Mark.OK,
    ]  # fmt: skip
    free = state.rates["free"]
    assert (free.strict, free.schema, free.right, free.errors) == (Share(3, 5), Share(4, 5), Share(2, 5), 1)


def test_a_reply_that_could_not_be_decoded_is_in_no_count(state: RunState) -> None:
    state.apply(JobFinished(story.people_records()[2]))
    assert state.rates["free"].strict == Share(0, 0)
    assert state.jobs[2].mark("free") is Mark.ERROR
    assert not state.jobs[2].broken


def test_right_counts_only_where_something_was_expected(state: RunState) -> None:
    verdict = story.ok()
    unknown = type(verdict)(True, True, True, None, ("ok",), None, "valid")
    state.apply(JobFinished(story.record("naive", "alice", story.reply("1", unknown), story.reply("1", verdict))))
    assert state.rates["free"].right == Share(0, 0)
    assert state.rates["constrained"].right == Share(1, 1)


def test_text_of_both_arms_streams_to_the_two(state: RunState) -> None:
    job = story.job_id("naive", "alice")
    play(state, [JobStarted(job, "{"), Delta(job, "both", '"na', 1), Forked(job, story.fork(1, 4))])
    play(state, [Delta(job, "free", "m", 1), Delta(job, "free", "e", 1), Delta(job, "constrained", "X", 1)])
    assert state.newest == 0
    assert state.jobs[0].text("free") == '{"name'
    assert state.jobs[0].text("constrained") == '{"naX'
    assert state.jobs[0].tokens("free") == 3
    assert state.jobs[0].fork is not None


def test_the_record_replaces_what_was_streamed(state: RunState) -> None:
    record = story.people_records()[0]
    play(state, [JobStarted(record.id), Delta(record.id, "both", "half", 1), JobFinished(record)])
    assert state.jobs[0].text("free") == story.PROSE
    assert state.jobs[0].fork == record.fork


def test_a_job_that_starts_again_begins_anew(state: RunState) -> None:
    job = story.job_id("naive", "alice")
    play(state, [JobStarted(job, "{"), Delta(job, "both", '"na', 2), Forked(job, story.fork(1, 4)), Remark("smaller")])
    play(state, [JobStarted(job, "{"), Delta(job, "both", '"x', 1)])
    alice = state.jobs[0]
    assert (alice.text("free"), alice.text("constrained"), alice.tokens("free"), alice.fork) == ('{"x', '{"x', 1, None)
    assert state.remarks == ["smaller"]


def test_a_reply_that_broke_is_marked_while_it_runs(state: RunState) -> None:
    record = story.people_records()[0]
    state.apply(JobStarted(record.id))
    state.apply(Delta(record.id, "free", "Sure", 1))
    state.apply(Broke(record.id, "free", 0, 1, "The reply does not begin with JSON but with S"))
    job = state.jobs[0]
    assert (job.mark("free"), job.mark("constrained")) == (Mark.BREAKING, Mark.RUNNING)
    assert format_verdict(job, "free", over=False) == ".! broke"
    assert format_verdict(job, "free", over=True) == "-- not run"
    assert not job.broken
    state.apply(JobStarted(record.id))
    assert job.mark("free") is Mark.RUNNING
    state.apply(JobFinished(record))
    assert job.mark("free") is Mark.BROKEN


def test_a_cancelled_job_is_over_and_counts_nowhere(state: RunState) -> None:
    running, waiting = (story.job_id("naive", case) for case in ("alice", "bob"))
    play(state, [JobStarted(running), JobCancelled(running), JobCancelled(waiting), JobCancelled(waiting)])
    for job in state.jobs[:2]:
        assert (job.over, job.broken, job.mark("free"), job.mark("constrained")) == (
            *(True, False),
            *(Mark.CANCELLED, Mark.CANCELLED),
        )
        assert format_verdict(job, "free", False) == format_verdict(job, "free", True) == "~~ cancelled"
    assert (state.done, state.total, state.rates["free"].strict) == (0, 4, Share(0, 0))
    assert progress_parts(state, None) == ["0/4 jobs", "- left"]


def test_remarks_on_a_line() -> None:
    assert format_remarks([], 40) == ""
    assert format_remarks(["minimum is not enforced."], 40) == "remark: minimum is not enforced."
    assert format_remarks(["minimum of /age is not enforced."], 38) == "remark: minimum of /ag…  (i shows all)"
    assert format_remarks(["a", "b\x1b"], 40) == "2 remarks: b\u241b  (i shows all)"


def test_events_of_an_unknown_job_change_nothing(state: RunState) -> None:
    play(state, [JobStarted("people/other/x#0"), Delta("people/other/x#0", "both", "x", 1)])
    assert [job.started for job in state.jobs] == [False] * 6


def test_a_death_after_a_reason_keeps_the_reason(state: RunState) -> None:
    state.apply(events.Failed("There is no such model."))
    state.apply(EngineDied(1, ("last words",)))
    assert state.failure == "There is no such model."
    assert state.log == ("last words",)


def test_a_death_after_the_end_is_no_failure(state: RunState) -> None:
    state.apply(story.finished(6, 6))
    state.apply(EngineDied(-9, ()))
    assert state.phase is Phase.FINISHED


def test_words_of_a_verdict(state: RunState) -> None:
    play(state, [JobStarted(story.job_id("naive", "bob")), JobFinished(story.people_records()[0])])
    assert format_verdict(state.jobs[0], "free", False) == "!! prose_before"
    assert format_verdict(state.jobs[0], "constrained", False) == "ok"
    assert format_verdict(state.jobs[1], "free", False) == ".. running"
    assert format_verdict(state.jobs[2], "free", False) == "-- waiting"
    assert format_verdict(state.jobs[2], "free", True) == "-- not run"


def test_a_fork_in_words() -> None:
    words = describe_fork(story.fork(17, 3), narrow=False).plain
    assert words == '▸ fork at token 17: wanted "Sure" 62.1%, grammar allowed "{" 3.0% (allowed 3.4% in all)'


@pytest.mark.parametrize(("p", "words"), [(0.0, "0.0%"), (0.00004, "<0.1%"), (0.034, "3.4%"), (1.0, "100.0%")])
def test_small_probabilities_are_not_rounded_to_nothing(p: float, words: str) -> None:
    assert format_percent(p) == words


def test_clock() -> None:
    assert [clock(0), clock(61.9), clock(3600)] == ["0:00", "1:01", "1:00:00"]
