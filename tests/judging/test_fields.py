"""The fields of replies next to what was expected: what is marked, and that it agrees with the verdict."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.judging.compare import EXACT, Rule, cursor_of
from engine.judging.fields import Field, fields, value_of
from engine.judging.judge import Judge
from engine.judging.values import NOTHING, differences

SET, IGNORE, CASEFOLD, CENT = Rule(unordered=True), Rule(ignored=True), Rule(casefold=True), Rule(tolerance=0.01)


def marks(expected: Any, *values: Any, rules: dict[str, Rule] | None = None) -> dict[tuple[Any, ...], list[str]]:
    """The kinds of each field's cells, by path."""
    found = fields(expected, values, cursor_of(rules or {}))
    return {field.path: [cell.status.value for cell in field.cells] for field in found}


def test_leaf_by_leaf_in_the_order_of_what_was_expected() -> None:
    expected = {"name": "Alice", "at": {"city": "Oslo", "zip": 1}, "tags": ["a", "b"]}
    free = {"at": {"zip": 1.0, "city": "Rome"}, "name": "Alice", "tags": ["a"], "age": 3}
    constrained = {"name": "Bob", "tags": ["a", "b", "c"]}
    assert marks(expected, free, constrained) == {
        ("name",): ["same", "different"],
        ("at",): ["none", "missing"],
        ("at", "city"): ["different", "none"],
        ("at", "zip"): ["same", "none"],
        ("tags", 0): ["same", "same"],
        ("tags", 1): ["missing", "same"],
        ("tags", 2): ["none", "extra"],
        ("age",): ["extra", "none"],
    }


@pytest.mark.parametrize(
    ("expected", "value", "found"),
    [
        ({}, {}, {(): ["same"]}),
        ({}, {"a": 1}, {("a",): ["extra"]}),
        ({"a": {}}, {"a": []}, {("a",): ["different"]}),
        ({"a": 1}, {"a": True}, {("a",): ["different"]}),
        ({"a": None}, {}, {("a",): ["missing"]}),
        ({"a": [1]}, {"a": {"0": 1}}, {("a",): ["different"]}),
        ({"a": 1}, NOTHING, {(): ["missing"]}),
        (3, 3.0, {(): ["same"]}),
    ],
)
def test_kinds_and_emptiness(expected: Any, value: Any, found: dict[Any, list[str]]) -> None:
    assert marks(expected, value) == found


def test_unordered_items_are_paired_with_what_replaced_them() -> None:
    found = list(fields({"t": ["a", "b", "c"]}, [{"t": ["C", "x", "A"]}, {"t": ["b", "b"]}], _TAGS))
    assert [(field.expected, [(cell.status.value, cell.value) for cell in field.cells]) for field in found] == [
        ("a", [("same", "a"), ("different", "b")]),
        ("b", [("different", "x"), ("same", "b")]),
        ("c", [("same", "c"), ("missing", NOTHING)]),
    ]
    assert all(field.unordered for field in found)
    assert marks({"t": []}, {"t": ["a"]}, {"t": []}, rules={"/t": SET}) == {("t", 0): ["extra", "none"]}
    assert marks({"t": []}, {"t": []}, rules={"/t": SET}) == {("t",): ["same"]}
    assert marks({"t": [1]}, {"t": 1}, {"t": [1]}, rules={"/t": SET}) == {
        ("t",): ["different", "none"],
        ("t", 0): ["none", "same"],
    }


_TAGS = cursor_of({"/t": Rule(unordered=True, casefold=True)})


def test_what_does_not_count_is_shown_and_not_marked() -> None:
    assert marks({"a": 1, "b": 2}, {"a": 5, "b": 2}, {"b": 2}, rules={"/a": IGNORE}) == {
        ("a",): ["ignored", "none"],
        ("b",): ["same", "same"],
    }
    assert marks({"a": 1, "b": 2}, {"a": 2, "c": 4}, [], rules={"": IGNORE, "/a": EXACT}) == {
        ("a",): ["different", "missing"],
        ("b",): ["none", "none"],
        ("c",): ["ignored", "none"],
    }


def test_the_value_is_found_as_the_judge_finds_it() -> None:
    assert value_of('Sure:\n```json\n{"a": 1}\n```', "stop") == {"a": 1}
    assert value_of('{"a": 1} and {"a": 2}', "stop") is NOTHING
    assert value_of('{"a": ', "length") is NOTHING
    assert value_of('so {"a": 1}?</t>{"a": 2}', "stop", "</t>") == {"a": 2}
    assert value_of('so {"a": 1}?</t>{"a": 2}', "stop") is NOTHING


def test_deep_and_long_values_take_no_stack_and_little_time() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    [found] = fields(deep, [deep])
    assert len(found.path) == 900
    long = list(range(20_000))
    assert len(list(fields(long, [long, long]))) == 20_000


_SCALARS = st.sampled_from([None, True, 0, 1, 1.0, 1.005, "a", "A", "b"])
_KEYS = st.sampled_from(["a", "b", "c"])
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3))
_PATHS = st.lists(st.sampled_from(["a", "b", "0", "*"]), max_size=2).map(lambda steps: "".join(f"/{s}" for s in steps))
_RULES = st.dictionaries(_PATHS, st.sampled_from([SET, IGNORE, CASEFOLD, CENT, EXACT]), max_size=3)


@given(_VALUES, _VALUES, _VALUES, _RULES)
def test_a_column_has_a_mark_exactly_where_its_values_are_not_the_expected_ones(
    expected: Any, one: Any, other: Any, rules: dict[str, Rule]
) -> None:
    cursor = cursor_of(rules)
    found = list(fields(expected, [one, other], cursor))
    for number, value in enumerate((one, other)):
        assert _differs(found, number) == (next(differences(expected, value, cursor), None) is not None)
    assert len({(field.path, field.unordered) for field in found}) == len(found)


@given(_VALUES, _VALUES, _RULES)
def test_it_agrees_with_the_verdict(expected: Any, value: Any, rules: dict[str, Rule]) -> None:
    text = json.dumps(value)
    verdict = Judge({}, rules).judge(f"Here: {text}", "stop", expected)
    if expected is not None and verdict.unwrapped:
        found = list(fields(expected, [value_of(f"Here: {text}", "stop")], cursor_of(rules)))
        assert verdict.values is not _differs(found, 0)


def _differs(found: list[Field], column: int) -> bool:
    return any(field.cells[column].status.differs for field in found)
