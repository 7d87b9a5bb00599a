"""Which jobs a suite makes, in which order, under which ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.suites.faults import SuiteError
from engine.suites.jobs import Job, count_jobs, jobs_of
from engine.suites.suite import Suite
from engine.suites.tables import Case, Generation, Prompt, Variations
from engine.variations import VARIATIONS


def suite(**generation: Any) -> Suite:
    return Suite(
        path=Path("x/people.toml"),
        text="",
        name="people",
        generation=Generation(**generation),
        json_schema={"type": "object"},
        prompts=(
            Prompt(name="naive", user="N {input}"),
            Prompt(name="json-only", system="S", user="J {schema} {input}", prefill="{"),
        ),
        cases=(Case(id="alice", input="A", expected={"n": None}, tags=("plain",)), Case(id="bob", input="B")),
    )


def ids(jobs: list[Job]) -> list[str]:
    return [job.id for job in jobs]


def test_a_job_has_all_that_decoding_and_judging_need() -> None:
    assert jobs_of(suite(seed=7), prompts=["json-only"], cases=["alice"]) == [
        Job(
            id="people/json-only/alice#0",
            prompt="json-only",
            case="alice",
            variation=None,
            repeat=0,
            seed=2109575525,
            input="A",
            messages=({"role": "system", "content": "S"}, {"role": "user", "content": 'J {"type": "object"} A'}),
            prefill="{",
            schema={"type": "object"},
            expected={"n": None},
            tags=("plain",),
        )
    ]
    (naive,) = jobs_of(suite(), prompts=["naive"], cases=["bob"])
    assert (naive.prefill, naive.expected, naive.tags) == ("", None, ())


def test_a_prompt_may_have_a_schema_of_its_own() -> None:
    own = Prompt(name="own", user="{schema} {input}", json_schema={"type": "array"})
    mixed = suite().model_copy(update={"prompts": (*suite().prompts, own)})
    (shared, other) = jobs_of(mixed, prompts=["json-only", "own"], cases=["bob"])
    assert (shared.schema, other.schema) == ({"type": "object"}, {"type": "array"})
    assert other.messages[0]["content"] == '{"type": "array"} B'


def test_variations_follow_the_input_as_it_is() -> None:
    varied = suite(repeats=2).model_copy(update={"variations": Variations(use=("html", "very-short", "upper-case"))})
    jobs = jobs_of(varied, prompts=["naive"])
    assert ids(jobs) == [
        "people/naive/alice#0",
        "people/naive/alice#1",
        "people/naive/alice~html#0",
        "people/naive/alice~html#1",
        "people/naive/bob#0",
        "people/naive/bob#1",
        "people/naive/bob~html#0",
        "people/naive/bob~html#1",
    ]
    assert count_jobs(varied) == 2 * len(jobs)
    plain, html = jobs[0], jobs[2]
    assert (plain.variation, html.variation) == (None, "html")
    assert plain.input == "A" != html.input
    assert html.messages[0]["content"] == f"N {html.input}"
    assert len({job.seed for job in jobs}) == len(jobs)
    assert [job.seed for job in jobs if job.variation is None] == [job.seed for job in jobs_of(suite(repeats=2))[:4]]


def test_some_variations_for_each_case() -> None:
    varied = suite().model_copy(update={"variations": Variations(use=tuple(VARIATIONS), per_case=2)})
    alice = jobs_of(varied, prompts=["naive"], cases=["alice"])
    assert alice[0].variation is None
    assert len(alice) == 3
    assert ids(alice) == [job.id for job in jobs_of(varied) if job.id in ids(alice)], "the same in a part of the suite"


def test_the_order_is_prompt_then_case_then_repeat() -> None:
    jobs = jobs_of(suite(repeats=2, seed=40))
    assert ids(jobs) == [
        "people/naive/alice#0",
        "people/naive/alice#1",
        "people/naive/bob#0",
        "people/naive/bob#1",
        "people/json-only/alice#0",
        "people/json-only/alice#1",
        "people/json-only/bob#0",
        "people/json-only/bob#1",
    ]
    assert [job.repeat for job in jobs] == [0, 1] * 4


def test_each_input_and_repeat_has_a_seed_of_its_own_the_same_under_every_prompt() -> None:
    naive, json_only = (jobs_of(suite(repeats=2, seed=40), prompts=[prompt]) for prompt in ("naive", "json-only"))
    seeds = [job.seed for job in naive]
    assert len(set(seeds)) == len(seeds)
    assert seeds == [job.seed for job in json_only]
    assert not set(seeds) & {job.seed for job in jobs_of(suite(repeats=2, seed=41))}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"prompts": ["json-only", "naive"], "cases": ["bob"]}, ["people/naive/bob#0", "people/json-only/bob#0"]),
        ({"cases": ("bob", "bob", "alice"), "prompts": {"naive"}}, ["people/naive/alice#0", "people/naive/bob#0"]),
        ({"limit": 1}, ["people/naive/alice#0"]),
        ({"limit": 3, "cases": ["bob"]}, ["people/naive/bob#0", "people/json-only/bob#0"]),
    ],
)
def test_a_choice_keeps_the_order_of_the_suite(choice: dict[str, Any], expected: list[str]) -> None:
    assert ids(jobs_of(suite(), **choice)) == expected


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"prompts": ["json_only"]}, 'the suite has no prompt "json_only"; did you mean "json-only"?'),
        ({"prompts": ["zzz"]}, 'the suite has no prompt "zzz"; known here: json-only, naive'),
        ({"cases": ["alice", "bobb"]}, 'the suite has no case "bobb"; did you mean "bob"?'),
        ({"cases": ["\x1b[31m"]}, r'the suite has no case "\u001b[31m"; known here: alice, bob'),
        ({"limit": 0}, "the limit must be at least 1, not 0; leave it out to run every job"),
        ({"limit": -2}, "the limit must be at least 1, not -2; leave it out to run every job"),
    ],
)
def test_unknown_names_and_limits_are_refused(choice: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SuiteError) as caught:
        jobs_of(suite(), **choice)
    assert str(caught.value) == f"x/people.toml: {sentence}"
