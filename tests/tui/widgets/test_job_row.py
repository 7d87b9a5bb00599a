"""The columns of the job list and the lines of the status, whatever the texts are and however wide the screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from engine.protocol.events import JobInfo, Progress, RunFinished
from engine.runs.job_facts import JobFacts
from tests.helpers import story
from tests.helpers.made_state import OK, PROSE, made_state
from tui.state import intervals
from tui.state.job import JobState
from tui.state.run import RunState
from tui.state.task import Phase
from tui.widgets.lines.status_line import Pace, progress_line, rates_lines
from tui.widgets.lists.job_row import Columns, Measure, format_header, format_input, format_names, format_note

TEXTS = [
    "plain",
    "漢字テスト語語語語語語語語語語語語語語",
    "family 👩\u200d👩\u200d👧 and 👍🏽 and flags 🇫🇷",
    "مرحبا بالعالم עברית",
    "e\u0301e\u0301 a\u0300\u0301\u0302 कि้",
    "\u0301 begins with a combining mark",
    "tab\there\r\nnew\x1b[2J\u202eline\u200b",
    "x" * 100_000,
    "",
]


def job(text: str, variation: str | None = "typos", repeat: int = 2) -> JobState:
    return JobState(JobInfo(f"s/{text}", text, text, variation, repeat, text, None), facts=JobFacts(PROSE, OK))


@pytest.mark.parametrize("width", [24, 40, 60, 80, 99, 100, 120, 200])
@pytest.mark.parametrize("excluded", [False, True])
def test_the_columns_take_the_same_cells_whatever_is_in_them(width: int, excluded: bool) -> None:
    jobs = [job(text) for text in TEXTS]
    measure = Measure()
    measure.update(jobs[:3])
    measure.update(jobs)
    columns = Columns.fitting(width, measure, excluded)
    for each in jobs:
        left = format_names(each, columns, format_note(each, excluded))
        right = format_input(each, columns)
        taken = columns.note + (columns.gap if columns.note else 0) + columns.prompt + columns.gap + columns.name
        assert cell_len(left) == taken
        assert cell_len(right) == (columns.gap + columns.text if columns.text else 0)
        if width >= 80:
            assert columns.texts_at + cell_len(left) + cell_len(right) <= width
            assert left.startswith("excluded") == excluded
    header = format_header(columns, ("free", "語語"), TEXTS[2] + TEXTS[6], "following", "─")
    assert "\x1b" not in header
    if width >= 60:
        assert cell_len(header) == width
        assert "following" in header


def test_names_are_shown_whole_where_there_is_room() -> None:
    each = job("alice")
    measure = Measure()
    measure.update([each])
    narrow, wide = (Columns.fitting(width, measure, excluded=False) for width in (80, 120))
    assert format_names(each, narrow, "") == "alice alice~typos#2"
    assert format_names(each, wide, "") == "alice  alice~typos#2"
    assert format_input(each, wide).strip() == "alice"


def test_trials_and_excluded_cases_are_marked() -> None:
    state = made_state()
    measure = Measure()
    measure.update(state.jobs)
    columns = Columns.fitting(120, measure, bool(state.excluded))
    shown = [format_names(job, columns, format_note(job, job.info.case in state.excluded)) for job in state.jobs]
    assert [each.startswith("excluded ") for each in shown] == [job.info.case == "c2" for job in state.jobs]
    assert [each.startswith("trial ") for each in shown] == [job.trial for job in state.jobs]


def state_with(k: int, n: int, labels: tuple[str, str] = ("free", "constrained")) -> RunState:
    """k of n free replies are right, of all constrained ones; two replies a case."""
    state = RunState(Path("people.toml"), labels=labels)
    for facts, times in ((OK, k), (PROSE, n - k)):
        state.rates["free"].add(facts, times)
        state.rates["constrained"].add(OK, times)
    for clusters in state.clusters.values():
        clusters.add(*(f"c{number // 2}" for number in range(n)))
    return state


def test_rates_have_intervals_in_which_a_case_counts_once() -> None:
    intervals.load()
    free, constrained = rates_lines(state_with(12, 80), 120)
    assert free.startswith("free         strict 12/80 15% [7-30]     schema 80/80 100% [91-100]  right")  # as 6 of 40
    assert constrained.startswith("constrained  strict 80/80 100% [91-100]  schema")
    free, constrained = rates_lines(state_with(12, 80), 78)
    assert free == "free     strict 15% [7-30]     schema 100% [91-100]  right 100% [91-100]  n 80"
    assert constrained.startswith("constr…  strict")
    assert rates_lines(state_with(0, 0), 78)[0] == "free         strict 0/0 -  schema 0/0 -  right 0/0 -"


@pytest.mark.parametrize("n", [1, 80, 5_000, 99_999])
def test_rates_fit_80_columns(n: int) -> None:
    intervals.load()
    for k in (0, n // 3, n):
        lines = rates_lines(state_with(k, n, ("baseline", "candidate")), 78)
        assert max(map(len, lines)) <= 78
        assert "100% [100" not in lines[1]  # an interval is never narrower than it is
        assert all(f"n {n}" in line or f"/{n} " in line for line in lines)


def test_a_narrow_screen_leaves_out_the_schema() -> None:
    intervals.load()
    assert rates_lines(state_with(12, 80), 58)[0] == "free     strict 15% [7-30]     right 100% [91-100]  n 80"


def running(done: int, seconds: float, state: RunState) -> RunState:
    state.done = done
    state.progress = Progress(done, state.total, 8, 100, 412.4, seconds)
    return state


@pytest.mark.parametrize("width", [36, 60, 78, 118])
def test_progress_leaves_out_what_does_not_fit(width: int) -> None:
    state = RunState(Path("people.toml"), phase=Phase.RUNNING)
    state.add_jobs([story.info("naive", f"c{number}") for number in range(320)])
    line = progress_line(running(120, 62, state), 0, 200, width)
    assert cell_len(line) == width
    assert "120/320 jobs" in line
    assert line.endswith("running  1:02")
    if width >= 78:
        assert "120/320 jobs  3:20 left  412 tok/s  8 in flight" in line
        assert line.startswith("[####")
        assert abs(line.count("#") / (line.count("#") + line.count(".")) - 120 / 320) < 0.1


def test_the_time_left_is_estimated_from_the_jobs_done_since_the_first_look() -> None:
    state = RunState(Path("people.toml"), phase=Phase.RUNNING)
    state.add_jobs([story.info("naive", f"c{number}") for number in range(100)])
    pace = Pace(state)
    assert pace.left() is None
    running(40, 5.0, state)  # a run that is resumed has jobs done at once
    assert pace.left() is None
    running(50, 10.0, state)
    assert pace.left() == pytest.approx(25.0)
    state.paused = True
    assert pace.left() is None
    state.paused = False
    state.apply(RunFinished(story.FOLDER, 100, 100, False, 20.0))
    assert pace.left() is None
