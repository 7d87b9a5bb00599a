"""Filters, views, facets: always against the same counted the slow way."""

from __future__ import annotations

import random

import pytest

from engine.runs.job_facts import JobFacts
from tests.helpers.made_state import FENCE, OK, PROSE, WRONG, facts, infos, made_state
from tui.state.facets import Choice, Facet, choices, toggled
from tui.state.filtered_jobs import FilteredJobs
from tui.state.filters import Filter, Outcome, describe_outcome, outcomes_for
from tui.state.job import describe_no_alike, primary_class

FILTERS = [
    Filter(),
    *(Filter(outcome=outcome) for outcome in Outcome),
    Filter(failure="wrong_value"),
    Filter(failure="wrong_value", arm="constrained"),
    Filter(failure="ok", arm="free"),
    Filter(tag="plain"),
    Filter(tag=""),
    Filter(prompt="json-only", variation=""),
    Filter(variation="typos", text="C1"),
    Filter(text="prose_b"),
    Filter(outcome=Outcome.BROKEN, failure="code_fence", tag="hard", prompt="naive", text="input"),
    Filter(text="nowhere"),
]


def slowly(view: FilteredJobs, filter: Filter) -> list[int]:
    matches = filter.matcher()
    return [number for number, job in enumerate(view.state.jobs) if matches(job)]


@pytest.mark.parametrize("filter", FILTERS, ids=lambda each: each.describe(("free", "constrained")) or "all")
def test_a_view_shows_what_its_filter_lets_through_while_jobs_finish_and_come(filter: Filter) -> None:
    state, rng = made_state(), random.Random(1)
    view = FilteredJobs(state)
    view.filter = filter
    assert list(view.numbers) == slowly(view, filter)
    for number in rng.sample(range(len(state.jobs)), 20):
        state.finish(number, facts(rng))
    state.add_jobs(infos(15)[-8:])
    state.finish(len(state.jobs) - 1, JobFacts(FENCE, OK))
    view.update()
    assert list(view.numbers) == slowly(view, filter)
    for row, number in enumerate(view.numbers):
        assert (view.row_of(number), view.nearest_row(number)) == (row, row)


def test_each_outcome_is_what_its_words_say() -> None:
    state = made_state(4)
    pairs = {
        (PROSE, OK): {Outcome.BROKEN, Outcome.RESCUED},
        (OK, WRONG): {Outcome.LOST},
        (OK, OK): {Outcome.SAME},
        (FENCE, WRONG): {Outcome.BROKEN, Outcome.WRONG, Outcome.SAME},
        (None, OK): {Outcome.ERROR},
        (OK, None): {Outcome.ERROR},
    }
    for number, ((free, constrained), expected) in enumerate(pairs.items(), 1):
        state.finish(number, JobFacts(free, constrained, agree=False))
        found = {outcome for outcome in Outcome if Filter(outcome=outcome).matcher()(state.jobs[number])}
        assert found == expected | {Outcome.ALL, Outcome.DISAGREE}


def test_the_words_of_a_filter() -> None:
    asked = Filter(Outcome.BROKEN, "prose_before", "free", "", "na\x1bive", "", "al\u202eice")
    assert asked.describe(("free", "constrained")) == (
        'broken free, class prose_before of free, no tag, prompt na\u241bive, as written, "al\u2426ice"'
    )
    assert Filter(Outcome.RESCUED, variation="typos").describe(("baseline", "candidate")) == "fixed, variation typos"
    compared = [
        describe_outcome(outcome, ("baseline", "candidate")) for outcome in outcomes_for(("baseline", "candidate"))
    ]
    assert compared[:4] == ["all", "fixed", "regressed", "unchanged"]
    assert Outcome.SAME not in outcomes_for(("free", "constrained"))


def test_the_job_let_in_last_is_known() -> None:
    state = made_state()
    view = FilteredJobs(state)
    view.filter = Filter(outcome=Outcome.BROKEN)
    assert view.latest is None
    state.finish(9, JobFacts(PROSE, OK))
    state.finish(12, JobFacts(OK, OK))
    view.update()
    assert view.latest == 9


@pytest.mark.parametrize("filter", FILTERS, ids=lambda each: each.describe(("free", "constrained")) or "all")
def test_each_value_is_counted_under_all_else_that_is_asked_for(filter: Filter) -> None:
    view = FilteredJobs(made_state())
    view.filter = filter
    found = choices(view)
    assert {choice.facet for choice in found} == set(Facet)
    for choice in found:
        on = filter if choice.on else toggled(filter, choice.facet, choice.value)
        if choice.facet is Facet.CLASS:
            on = Filter(on.outcome, on.failure, None, on.tag, on.prompt, on.variation, on.text)
        assert choice.count == len(slowly(view, on)), choice


def test_a_value_is_turned_on_instead_of_another_and_off() -> None:
    filter = toggled(Filter(text="x"), Facet.CLASS, "prose_before")
    filter = toggled(filter, Facet.CLASS, "code_fence")
    filter = toggled(filter, Facet.OUTCOME, Outcome.BROKEN)
    filter = toggled(filter, Facet.VARIATION, "")
    assert filter == Filter(Outcome.BROKEN, "code_fence", variation="", text="x")
    filter = toggled(toggled(filter, Facet.CLASS, "code_fence"), Facet.OUTCOME, Outcome.BROKEN)
    assert toggled(toggled(filter, Facet.OUTCOME, Outcome.ALL), Facet.VARIATION, "") == Filter(text="x")


def test_facets_with_nothing_to_choose_are_left_out() -> None:
    state = made_state(1)  # no tags
    found = choices(FilteredJobs(state))
    assert Facet.TAG not in {choice.facet for choice in found}
    assert Choice(Facet.PROMPT, "edited", "edited", 1, on=False) in found


def test_what_is_broken_in_the_same_way() -> None:
    state = made_state(3)
    for number, pair in enumerate([(PROSE, OK), (OK, WRONG), (FENCE, WRONG), (OK, OK), (None, WRONG)], 1):
        state.finish(number, JobFacts(*pair))
    assert [primary_class(state.jobs[number]) for number in range(6)] == [
        *(None, "prose_before", "wrong_value"),
        *("code_fence", None, "wrong_value"),
    ]
    assert "no class" in describe_no_alike(None)
    assert "wrong_value" in describe_no_alike("wrong_value")
