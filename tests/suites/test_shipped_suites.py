"""The suites in suites/: each is fit to run, and each expected value can be written under its schema's grammar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.grammars.outlines_grammar import build_grammar
from engine.judging.validator import build_validator
from engine.suites.schema_check import value_fault
from engine.suites.suite import Suite, find_suites, load_suite
from tests.helpers.byte_grammars import BYTES, STOP, accepts

if TYPE_CHECKING:
    from engine.models.model import LoadedModel

FILES = find_suites(Path(__file__).parents[2] / "suites")
NAMES = [
    "calendar-events",
    "code-review",
    "invoices",
    "measurements",
    "people",
    "people-multilingual",
    "recipes",
    "support-tickets",
    "tool-calls",
]


@pytest.fixture(scope="module", params=FILES, ids=[file.stem for file in FILES])
def suite(request: pytest.FixtureRequest) -> Suite:
    return load_suite(request.param)


def pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def test_the_suites_are_all_there() -> None:
    assert {file.stem for file in FILES} >= set(NAMES)


def test_a_suite_is_worth_running(suite: Suite) -> None:
    assert suite.name == suite.path.stem
    assert suite.description
    assert 24 <= len(suite.cases) <= 60
    inputs = [case.input.casefold().split() for case in suite.cases]
    assert all(words not in inputs[:number] for number, words in enumerate(inputs))
    assert all(case.tags for case in suite.cases)
    assert all(case.input == case.input.strip() for case in suite.cases)


def test_every_case_expects_a_value_that_the_schema_allows(suite: Suite) -> None:
    assert suite.json_schema is not None
    validator = build_validator(suite.json_schema)
    for case in suite.cases:
        assert case.expected is not None, case.id
        assert value_fault(validator, case.expected) is None, case.id


def test_the_grammar_allows_every_expected_value(suite: Suite) -> None:
    """Over single bytes: the index over a model's tokens allows the same texts, but takes seconds to build."""
    assert suite.json_schema is not None
    grammar = build_grammar(suite.json_schema, BYTES, [STOP])
    for case in suite.cases:
        compact = json.dumps(case.expected, ensure_ascii=False, separators=(",", ":"))
        for text in (compact, json.dumps(case.expected, ensure_ascii=False), pretty(case.expected)):
            assert accepts(grammar, text), f"{case.id}: {text}"
        assert not accepts(grammar, compact[:-1]), case.id


@pytest.mark.model
def test_a_right_reply_fits_twice(suite: Suite, builtin_model: LoadedModel) -> None:
    """So that a reply that is cut off has something else wrong with it."""
    for case in suite.cases:
        tokens = builtin_model.tokenizer(pretty(case.expected), add_special_tokens=False)["input_ids"]
        assert 2 * len(tokens) <= suite.generation.max_new_tokens, case.id
