"""The counts of the matrix against the same counted job by job."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from rich.cells import cell_len

from engine.statistics import Share, design_effect
from tests.helpers.made_state import made_state
from tui.state.filtered_jobs import FilteredJobs
from tui.state.job import JobState
from tui.state.matrix import By, Cell, Question, Rate, cell_design_effect, cell_pairs, count, filter_of
from tui.state.run import RunState
from tui.widgets.lists.matrix_table import format_cell

QUESTIONS = [Question(*each) for each in itertools.product(By, Rate, ("free", "constrained", None))]


def counted(state: RunState, question: Question, row: str | None, column: str | None) -> list[tuple[JobState, int]]:
    """The jobs of a cell, and what each adds to it."""
    found = []
    own = {job.info.prompt for job in state.jobs if not job.trial}
    for job in state.jobs:
        info, names = job.info, job.info.tags or ("",)
        if info.case in state.excluded or job.cancelled or job.facts is None:
            continue
        if (job.trial and (row is None or info.prompt in own)) or row not in (None, info.prompt):
            continue
        if question.by is By.TAG and column is not None and column not in names:
            continue
        if question.by is By.VARIATION and column not in (None, info.variation or ""):
            continue
        values: list[Any] = []
        for arm in ("free", "constrained") if question.arm is None else (question.arm,):
            facts = job.facts.of(arm)
            if facts is None:
                values.append(None)
            elif question.by is By.CLASS:
                values.append(column in facts.classes)
            else:
                rates = {"strict": facts.strict, "schema": facts.schema, "right": facts.values, "ok": facts.ok}
                values.append(rates[question.rate.value])
        if None not in values:
            found.append((job, values[-1] - (values[0] if len(values) == 2 else 0)))
    return found


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_every_cell_counts_its_jobs(question: Question) -> None:
    state = made_state()
    groups = FilteredJobs(state).groups
    matrix = count(groups, question)
    assert matrix.rows == [None, "naive", "json-only", "edited"]
    assert matrix.trials == {"edited"}
    for row, column in itertools.product(matrix.rows, matrix.columns):
        jobs = counted(state, question, row, column)
        assert matrix.cell(row, column) == Cell(sum(value for _, value in jobs), len(jobs))
        cases = [job.info.case for job, _ in jobs]
        assert cell_design_effect(groups, question, row, column) == design_effect(
            cases.count(case) for case in set(cases)
        )
        if question.arm is None and jobs:
            paired = cell_pairs(groups, question, row, column)
            assert paired.difference * paired.n == pytest.approx(sum(value for _, value in jobs))


def test_the_columns() -> None:
    groups = FilteredJobs(made_state()).groups
    assert count(groups, Question()).columns == [None, "", "typos"]
    assert count(groups, Question(By.TAG)).columns == [None, "", "plain", "hard"]
    assert count(groups, Question(By.CLASS)).columns == ["ok", "prose_before", "code_fence", "wrong_value"]


def test_the_filter_of_a_cell_lets_its_jobs_through() -> None:
    state = made_state()
    view = FilteredJobs(state)
    for question in QUESTIONS:
        matrix = count(view.groups, question)
        for row, column in itertools.product(matrix.rows, matrix.columns):
            shown = view.matching(filter_of(question, row, column))
            jobs = [job for job, value in counted(state, question, row, column) if question.by is not By.CLASS or value]
            assert {job.info.id for job in jobs} <= {state.jobs[number].info.id for number in shown}


def test_counts_follow_jobs_that_finish_and_cases_that_are_excluded() -> None:
    state = made_state()
    view = FilteredJobs(state)
    strict = Question(rate=Rate.STRICT)
    before = count(view.groups, strict).cell(None, None)
    state.exclude("c2")
    view.update()
    after = count(view.groups, strict).cell(None, None)
    assert after.n > before.n
    assert after == count(FilteredJobs(state).groups, strict).cell(None, None)
    assert Share(after.k, after.n) == state.rates["free"].strict


@pytest.mark.parametrize(
    ("cell", "difference", "words"),
    [
        (Cell(), False, "-"),
        (Cell(0, 80), False, "0/80   0%  "),
        (Cell(12, 80), False, "12/80  15% ."),
        (Cell(79, 80), False, "79/80  99% +"),
        (Cell(80, 80), False, "80/80 100% #"),
        (Cell(20, 80), True, "+20/80  +25"),
        (Cell(-1, 80), True, "-1/80   -1"),
        (Cell(0, 80), True, "0/80    0"),
    ],
)
def test_a_cell_in_words(cell: Cell, difference: bool, words: str) -> None:
    assert format_cell(cell, difference) == words
    assert cell_len(words) == len(words)
