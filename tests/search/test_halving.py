"""Successive halving on made-up outcomes, and the plan that a budget pays for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInputError
from engine.search.compose import candidates_of, compositions
from engine.search.halving import Halving, schedule_for
from engine.search.planning import LEAST_BUDGET, left_out, plan_search
from engine.search.splits import LEAST_CHOOSING, LEAST_HELD_OUT, split
from engine.suites.suite import Suite, load_suite
from tests.helpers.suite_files import PERSON_SCHEMA, write_suite

TASK = 'task = "Extract the name and age"\n'
EXAMPLES = """
[[example]]
input = "Eve is 19."
output = { name = "Eve", age = 19 }
[[example]]
input = "Jo is 88."
output = { name = "Jo", age = 88 }
"""
NAIVE = '[[prompt]]\nname = "own"\nuser = "Who? {input}"\n'


def cases(number: int) -> str:
    row = '[[case]]\nid = "c{0}"\ninput = "Person {0} is {0}."\nexpected = {{ name = "Person {0}", age = {0} }}\n'
    return "".join(row.format(each) for each in range(number))


def suite_of(
    folder: Path,
    *,
    number: int = 16,
    task: str = TASK,
    examples: str = EXAMPLES,
    schema: str = PERSON_SCHEMA,
    prompts: str = NAIVE,
) -> Suite:
    file = write_suite(folder, schema=schema, prompts=examples + prompts, cases=cases(number))
    file.write_text(task + file.read_text())
    return load_suite(file)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    return suite_of(tmp_path_factory.mktemp("suite"), number=40)


@given(budget=st.integers(8, 3000), candidates=st.integers(2, 600), number=st.integers(4, 60), data=st.data())
def test_no_budget_is_exceeded_and_every_round_is_paired(
    budget: int, candidates: int, number: int, data: st.DataObject
) -> None:
    schedule = schedule_for(budget, candidates, number)
    names, ids = [f"p{each}" for each in range(schedule.candidates)], [f"c{each}" for each in range(number)]
    good = data.draw(st.sets(st.sampled_from(names)))
    halving = Halving(names, ids, schedule)
    asked: dict[str, list[str]] = {name: [] for name in names}
    while halving.winner is None:
        playing, new = halving.wanted
        assert new, "a round without a job decides nothing"
        for name in playing:
            asked[name] += new
            for case in new:
                halving.add(name, name in good or (7 * int(name[1:]) + 13 * int(case[1:])) % 3 == 0, 10)
        assert len({tuple(asked[name]) for name in playing}) == 1, "all candidates of a round have the same cases"
        before = {score.name: score.ok.k for score in halving.playing}
        halving.close()
        kept = {score.name for score in halving.playing}
        assert min(before[name] for name in kept) >= max((before[name] for name in {*playing} - kept), default=0)
    assert sum(map(len, asked.values())) == schedule.jobs <= budget
    assert all(len(set(each)) == len(each) for each in asked.values()), "no candidate answers a case twice"
    assert halving.ranked()[0].name == halving.winner
    assert not good or halving.winner in good or halving.scores[halving.winner].ok.k == len(asked[halving.winner])


def test_a_larger_budget_tries_more_candidates_and_then_asks_them_more() -> None:
    few, many, all_ = schedule_for(60, 12, 20), schedule_for(150, 12, 20), schedule_for(240, 12, 20)
    assert few.candidates < many.candidates == all_.candidates == 12
    assert many.cases == (6, 18, 20)
    assert all_.cases == (20,)


def test_ties_go_to_the_shorter_prompt_then_to_the_name() -> None:
    names = ["d", "c", "b", "a"]
    halving = Halving(names, ["1", "2", "3", "4"], schedule_for(16, 4, 4))
    for name, tokens in zip(names, (9, 7, 8, 7), strict=True):
        for _ in range(4):
            halving.add(name, True, tokens)
    halving.close()
    assert [score.name for score in halving.ranked()] == ["a", "c", "b", "d"]
    assert halving.winner == "a"


@given(number=st.integers(0, 200), seed=st.integers(0, 2**32 - 1))
def test_no_case_is_on_both_sides(number: int, seed: int) -> None:
    ids = [f"c{each}" for each in range(number)]
    if number < LEAST_HELD_OUT + LEAST_CHOOSING:
        with pytest.raises(ValueError, match="too few"):
            split(ids, seed)
        return
    choosing, held_out = split(ids, seed)
    assert sorted(choosing + held_out) == sorted(ids)
    assert len(held_out) >= LEAST_HELD_OUT
    assert len(choosing) >= LEAST_CHOOSING
    assert split(reversed(ids), seed) == (choosing, held_out), "the order of the file is nothing"


@given(budget=st.integers(LEAST_BUDGET, 15_000))
def test_a_plan_takes_no_more_jobs_than_its_budget_and_keeps_the_held_out_cases_back(suite: Suite, budget: int) -> None:
    plan = plan_search(suite, budget)
    assert plan.jobs <= budget
    assert not {*plan.choosing} & {*plan.held_out}
    assert len(plan.held_out) >= LEAST_HELD_OUT
    assert plan.baseline == "own"
    assert max(plan.schedule.cases) <= len(plan.choosing)
    halving = Halving([each.name for each in plan.candidates], plan.choosing, plan.schedule)
    while halving.winner is None:
        names, new = halving.wanted
        assert not {*new} & {*plan.held_out}
        for name in names:
            for _ in new:
                halving.add(name, True, 1)
        halving.close()


def test_compositions_say_what_their_names_say(suite: Suite) -> None:
    prompts = {prompt.name: prompt for prompt in compositions(suite)}
    prompt = prompts["schema+few-shot+delimiters"]
    assert prompt.system is None
    assert prompt.prefill is None
    assert len(prompt.examples) == 2
    assert "{schema}" in prompt.user
    assert prompt.user.endswith("<text>\n{input}\n</text>")
    prompt = prompts["key-list+json-only+one-shot+persona+repeat+prefill+checklist"]
    assert prompt.system is not None
    assert prompt.system.startswith("You are an experienced data clerk.")
    assert prompt.prefill == "{"
    assert len(prompt.examples) == 1
    order = ["Extract the name and age. Reply with valid JSON", "{keys}", "go through this list", "Text: {input}"]
    places = [prompt.user.index(each) for each in [*order, "Once more: Extract the name and age."]]
    assert places == sorted(places)
    assert len(prompts) == 3 * 2 * 3 * 2**5 - 1 - 10, "every combination but the naive one and single ideas"
    assert [each.name for each in compositions(suite)] == list(prompts), "the same order each time"


def test_a_small_budget_tries_singles_and_compositions_in_turn(suite: Suite) -> None:
    names = [prompt.name for prompt in candidates_of(suite)]
    assert names[0] == "own"
    assert [bool(name.count("+")) for name in names[1:9]] == [False, True] * 4
    assert {"naive", "schema", "think-first", "schema+few-shot+delimiters"} <= {*names}
    assert len(set(names)) == len(names)


def test_what_does_not_fit_the_suite_is_not_composed(tmp_path: Path) -> None:
    schema = '[schema]\ntype = "array"\nitems = { type = "object" }\n'
    listed = load_suite(write_suite(tmp_path, schema=schema, cases='[[case]]\nid = "a"\ninput = "x"\n'))
    names = [prompt.name for prompt in candidates_of(listed.model_copy(update={"task": "List them"}))]
    parts = {part for name in names for part in name.split("+")}
    assert {"schema", "json-only", "persona", "delimiters", "repeat", "checklist", "think-first", "naive"} == parts


def test_prompts_with_another_schema_take_no_part(tmp_path: Path) -> None:
    other = '[[prompt]]\nname = "other"\nuser = "{input}"\nschema = { type = "object" }\n'
    suite = suite_of(tmp_path, prompts=other + NAIVE)
    assert plan_search(suite, 24).baseline == "own"
    assert "other" not in [prompt.name for prompt in candidates_of(suite)]
    assert left_out(suite) == ('Not compared, because they have a schema of their own: "other".',)


def test_the_same_words_under_two_names_take_part_once(suite: Suite) -> None:
    (composed,) = (prompt for prompt in compositions(suite) if prompt.name == "json-only+delimiters")
    (single,) = (prompt for prompt in candidates_of(suite) if prompt.name == "delimiters")
    assert composed.user == single.user
    assert "json-only+delimiters" not in [prompt.name for prompt in candidates_of(suite)]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"number": 11},
            "11 cases are too few to choose by some and hold out 8; a search needs a suite of at least 12",
        ),
        ({"task": "", "examples": ""}, "a search composes techniques, which need the suite's task; add task"),
    ],
)
def test_a_suite_with_too_little_is_refused(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        plan_search(suite_of(tmp_path, **change), 400)


def test_a_budget_too_small_for_eight_held_out_cases_is_refused(suite: Suite) -> None:
    with pytest.raises(BadInputError, match="at least 24 jobs, not 23"):
        plan_search(suite, 23)
