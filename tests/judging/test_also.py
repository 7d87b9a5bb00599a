"""What a verdict has besides its primary class: places and sentences of the others, and whether repair would help."""

from __future__ import annotations

import time
from typing import Any

import pytest

from engine.judging.judge import Judge
from tests.judging.marked import ALICE, GOOD, PERSON


@pytest.mark.parametrize(
    ("text", "classes", "places"),
    [
        (
            'Hi:\n```\n{"age": "30", "job": 1}\n```\nBye',
            "prose_before code_fence prose_after missing_key extra_key wrong_type",
            ["Hi:", "```", "Bye", '{"age": "30", "job": 1}', '"job"', '"30"'],
        ),
        ("{'name': None,}", "single_quotes python_literal trailing_comma", ["'name'", "None", ","]),
        ('{"name": "Al", "age": 3, "age": -4}', "duplicate_key constraint wrong_value", ['"age"', "-4", '"Al"']),
        (f"So: {GOOD} and {GOOD}", "multiple_values prose_before", [GOOD, "So:"]),
    ],
)
def test_each_class_has_its_own_place(text: str, classes: str, places: list[str]) -> None:
    verdict = Judge(PERSON).judge(text, "stop", ALICE)
    assert verdict.where is not None
    found = [(verdict.classes[0], verdict.where, verdict.message)]
    found += [(also.failure, also.where, also.message) for also in verdict.also]
    assert " ".join(failure for failure, _, _ in found) == " ".join(verdict.classes) == classes
    assert [text[where.start : where.end] for _, where, _ in found] == places
    for _, where, message in found:
        assert message.endswith(f" (line {where.line}, column {where.column}).")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (GOOD, None),
        ('{"name": "Alice", "age": "30"}', None),  # strict, so there is nothing to repair
        (f"Sure:\n```json\n{GOOD}\n```", True),
        ("{'name': 'Alice', age: 30,}", True),
        ('{"name": "Alice", "age": 30', True),
        ("{'name': 'Alice', age: -30,}", False),
        ('{"name": "Alice"', False),
        ("I do not know.", False),
        ("", False),
    ],
)
def test_repairable_is_extra_information(text: str, answer: bool | None) -> None:
    verdict = Judge(PERSON).judge(text, "stop", ALICE)
    assert verdict.repairable is answer
    assert answer is None or not verdict.ok
    assert not verdict.strict or answer is None


@pytest.mark.parametrize(
    "text",
    ["[" * 5000, "[" * 5000 + "]" * 5000, "x" * 10_000_000, "{1//]" * 1990, "truetrue" + "-]a{" * 2400, "[a " * 3000],
)
def test_repair_is_given_up_where_it_would_take_long(text: str) -> None:
    """Some of these take minutes with json_repair alone, or end in a RecursionError."""
    started = time.monotonic()
    verdict = Judge({}).judge(text, "stop", None)
    assert verdict.repairable is None
    assert time.monotonic() - started < 30


def test_the_schema_says_what_a_repair_is_worth() -> None:
    numbers: dict[str, Any] = {"type": "array", "items": {"type": "integer"}}
    assert Judge(numbers).judge("[1, 2, 3", "length", None).repairable is True
    assert Judge(numbers).judge("['1', 2", "length", None).repairable is False
    assert Judge({}).judge("I do not know.", "stop", None).repairable is False
