"""Two runs paired by job."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.records import Arm
from engine.runs import owner
from engine.runs.store import RECORDS
from engine.statistics import Share
from tests.helpers.made_runs import FENCED, MANIFEST, PROSE, RIGHT, Made, write_run
from tui.state.comparison import Comparison
from tui.state.filtered_jobs import FilteredJobs
from tui.state.filters import Filter, Outcome
from tui.state.task import Phase
from tui.widgets.lines.change_line import format_changes, format_shares


def compared(baseline: Path, candidate: Path) -> Comparison:
    comparison = Comparison(baseline, candidate)
    for batch in comparison.read():
        comparison.apply(batch)
    return comparison


def runs(tmp_path: Path, before: list[Made], after: list[Made], **changed: object) -> tuple[Path, Path]:
    return write_run(tmp_path, before), write_run(tmp_path, after, {**MANIFEST, **changed})


BEFORE = [
    Made(FENCED, case="a"),
    Made(RIGHT, case="b"),
    Made(RIGHT, case="c"),
    Made(PROSE, case="d"),
    Made(None, case="e"),
]
AFTER = [
    Made(RIGHT, case="b"),
    Made(PROSE, case="c"),
    Made(RIGHT, case="a"),
    Made(PROSE, case="d"),
    Made(RIGHT, case="e"),
]


def test_each_arm_is_compared_job_by_job(tmp_path: Path) -> None:
    comparison = compared(*runs(tmp_path, BEFORE, AFTER))
    free, constrained = comparison.of("free"), comparison.of("constrained")
    assert [job.info.case for job in free.state.jobs] == ["b", "c", "a", "d", "e"]
    assert format_changes(free) == "1 fixed, 1 regressed, 2 unchanged, 1 not decoded"
    assert format_changes(constrained) == "0 fixed, 0 regressed, 5 unchanged"
    assert free.state.labels == ("baseline", "candidate")
    assert (free.state.rates["free"].strict, free.state.rates["constrained"].strict) == (Share(2, 4), Share(3, 5))
    assert free.state.phase is constrained.state.phase is Phase.FINISHED
    shown = {
        outcome: [
            free.state.jobs[number].info.case for number in FilteredJobs(free.state).matching(Filter(outcome=outcome))
        ]
        for outcome in (Outcome.RESCUED, Outcome.LOST, Outcome.SAME)
    }
    assert shown == {Outcome.RESCUED: ["a"], Outcome.LOST: ["c"], Outcome.SAME: ["b", "d"]}


def test_the_record_of_a_pair_has_both_replies(tmp_path: Path) -> None:
    baseline, candidate = runs(tmp_path, BEFORE, AFTER)
    comparison = compared(baseline, candidate)
    arms: tuple[tuple[Arm, tuple[str, str]], ...] = (("free", (FENCED, RIGHT)), ("constrained", (RIGHT, RIGHT)))
    for arm, texts in arms:
        state = comparison.of(arm).state
        job = state.jobs[2]
        state.load(job)
        assert job.record is not None
        assert (job.record.free.text, job.record.constrained.text, job.record.fork) == (*texts, None)
    lines = (baseline / RECORDS).read_bytes().splitlines(keepends=True)
    (baseline / RECORDS).write_bytes(b"".join(lines[1:2] * 5))
    with pytest.raises(ValueError):  # noqa: PT011  (no JSON, or another record: pydantic's words or ours)
        comparison.of("free").state.load(comparison.of("free").state.jobs[3])


def test_what_is_missing_and_what_differs_is_said(tmp_path: Path) -> None:
    baseline, candidate = runs(tmp_path, BEFORE, [*AFTER[:3], Made(RIGHT, case="new")], model="other")
    with (candidate / RECORDS).open("ab") as file:
        file.write(b"{}\n")
    state = compared(baseline, candidate).of("free").state
    assert state.remarks == [
        "Of the candidate: 1 line of records.jsonl cannot be read and count nowhere, the first is line 5.",
        "Not compared: 2 jobs only in the baseline, 1 job only in the candidate.",
        "The runs differ in: model (made-model, other).",
    ]
    other = write_run(tmp_path, BEFORE, {**MANIFEST, "generation": {"temperature": 0.0, "seed": 5}})
    state = compared(baseline, other).of("free").state
    assert state.remarks == ["These runs do not compare, since what was asked differs: temperature (0.7, 0.0)."]
    state = compared(baseline, baseline).of("free").state
    assert state.remarks == ["The manifests of the runs do not differ."]


def test_a_candidate_that_is_still_on(tmp_path: Path) -> None:
    baseline = write_run(tmp_path, BEFORE)
    candidate = write_run(tmp_path, AFTER[:2], ended=False)  # this process is the engine
    state = compared(baseline, candidate).of("free").state
    assert "The candidate is still in progress: it is compared as far as it was written." in state.remarks
    assert len(state.jobs) == 2
    owner.release(candidate)


def test_runs_with_no_job_in_common(tmp_path: Path) -> None:
    comparison = compared(*runs(tmp_path, BEFORE[:2], [Made(RIGHT, case="z")]))
    assert comparison.of("free").state.jobs == []
    assert comparison.nothing_in_common.startswith("These runs have no job in common: they ran other prompts")
    comparison = compared(*runs(tmp_path, BEFORE, [Made(RIGHT, case="z")], suite="invoices"))
    assert comparison.nothing_in_common == ("These runs have no job in common: their suites are made and invoices.")


def test_a_difference_that_may_be_chance_is_called_none(tmp_path: Path) -> None:
    change = compared(*runs(tmp_path, BEFORE, AFTER)).of("free").change
    words = format_shares(change, 80)
    assert words.startswith("ok 2/4 ")
    assert words.endswith(", no difference shown")
    assert "0.0 points (" in words


def test_a_difference_that_is_shown(tmp_path: Path) -> None:
    before = [Made(FENCED, case=f"case-{number}") for number in range(12)]
    after = [Made(RIGHT, case=f"case-{number}") for number in range(12)]
    change = compared(*runs(tmp_path, before, after)).of("free").change
    assert format_shares(change, 120).startswith("ok 0/12 ")
    assert ": +100.0 points (" in format_shares(change, 120)
    assert format_shares(change, 120).endswith("), p < 0.001")
    assert [line[:8] for line in format_shares(change, 60).splitlines()] == ["ok 0/12 ", "+100.0 p"]
    repeats = (
        [Made(FENCED, repeat=number) for number in range(12)],
        [Made(RIGHT, repeat=number) for number in range(12)],
    )
    one_case = compared(*runs(tmp_path, *repeats)).of("free").change
    assert format_shares(one_case, 120).endswith("no difference shown")  # twelve repeats of one case are one case


def test_nothing_decoded_is_said_in_words(tmp_path: Path) -> None:
    comparison = compared(*runs(tmp_path, [Made(None)], [Made(RIGHT)]))
    assert format_shares(comparison.of("free").change, 80) == "no reply was decoded in both runs"
