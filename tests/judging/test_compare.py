"""Expected values compared by field: the rules, the paths they are given for, arrays without order."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.judging.compare import EXACT, Rule, cursor_of
from engine.judging.judge import Judge
from engine.judging.values import differences
from tests.judging.marked import unmarked

CASEFOLD, SPACE, SET = Rule(casefold=True), Rule(whitespace=True), Rule(unordered=True)
IGNORE, CENT = Rule(ignored=True), Rule(tolerance=0.01)


def equal(rules: dict[str, Rule], expected: Any, got: Any) -> bool:
    return next(differences(expected, got, cursor_of(rules)), None) is None


@pytest.mark.parametrize(
    ("rules", "expected", "got", "same"),
    [
        ({}, {"a": "x"}, {"a": "X"}, False),
        ({"/a": CASEFOLD}, {"a": "Straße"}, {"a": "STRASSE"}, True),
        ({"/a": CASEFOLD}, {"b": "x"}, {"b": "X"}, False),
        ({"/a": CASEFOLD}, {"a": "x y"}, {"a": "X  y"}, False),
        ({"": CASEFOLD}, {"a": ["x", {"b": "y"}]}, {"a": ["X", {"b": "Y"}]}, True),
        ({"/": CASEFOLD, "/a": EXACT}, {"a": "x", "b": "y"}, {"a": "X", "b": "Y"}, False),
        ({"": CASEFOLD}, {"a": 1}, {"A": 1}, False),
        ({"/a": SPACE}, {"a": "New York"}, {"a": "\tNew \n York "}, True),
        ({"/a": SPACE}, {"a": "New York"}, {"a": "NewYork"}, False),
        ({"/a": CENT}, {"a": 20}, {"a": 19.99}, True),
        ({"/a": CENT}, {"a": 20}, {"a": 19.98}, False),
        ({"/a": CENT}, {"a": 1}, {"a": True}, False),
        ({"/a": CENT}, {"a": 1}, {"a": "1"}, False),
        ({"/a": Rule(tolerance=10)}, {"a": 1}, {"a": float("inf")}, False),
        ({"/a": IGNORE}, {"a": 1, "b": 2}, {"b": 2}, True),
        ({"/a": IGNORE}, {"b": 2}, {"a": [{}], "b": 2}, True),
        ({"": IGNORE, "/a": EXACT}, {"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}, True),
        ({"": IGNORE, "/a": EXACT}, {"a": 1, "b": 2}, {"a": 2, "b": 2}, False),
        ({"": IGNORE, "/a": EXACT}, {"a": 1}, [], False),
        ({"/*/a": CASEFOLD}, [{"a": "x"}, {"a": "y"}], [{"a": "X"}, {"a": "Y"}], True),
        ({"/0/a": CASEFOLD}, [{"a": "x"}, {"a": "y"}], [{"a": "X"}, {"a": "Y"}], False),
        ({"/*/a": CASEFOLD, "/0/a": EXACT}, [{"a": "x"}], [{"a": "X"}], False),
        ({"/*/a": CASEFOLD, "/0/b": SPACE}, [{"a": "x"}], [{"a": "X"}], True),
        ({"/a~1b/x~0y": CASEFOLD}, {"a/b": {"x~y": "x"}}, {"a/b": {"x~y": "X"}}, True),
        ({"": SET}, [1, 2, 2], [2, 1, 2.0], True),
        ({"": SET}, [1, 2, 2], [1, 1, 2], False),
        ({"": SET}, [1], [True], False),
        ({"": SET}, [[1, 2]], [[2, 1]], False),
        ({"": SET, "/*": SET}, [[1, 2], [3]], [[3], [2, 1]], True),
        ({"": Rule(unordered=True, casefold=True)}, ["a", "b"], ["B", "A"], True),
        ({"": SET, "/*/n": CASEFOLD}, [{"n": "a"}, {"n": "b"}], [{"n": "B"}, {"n": "A"}], True),
        ({"": SET, "/*/id": IGNORE}, [{"n": 1, "id": 5}, {"n": 2}], [{"n": 2, "id": 9}, {"n": 1}], True),
        ({"": SET, "/*": IGNORE, "/*/n": EXACT}, [{"n": 1, "x": 1}, {"n": 2}], [{"n": 2}, {"n": 1, "y": 3}], True),
        ({"": SET, "/*": IGNORE, "/*/n": EXACT}, [{"n": 1}, {"n": 2}], [{"n": 2}, {"n": 2}], False),
        ({"": Rule(unordered=True, tolerance=1)}, [1, 2, 3], [3.5, 2, 1.5], True),
        ({"": Rule(unordered=True, tolerance=1)}, [1, 2, 3], [4.5, 2, 1], False),
        ({"": SET, "/*/p": Rule(tolerance=1)}, [{"p": 1}, {"p": 2}], [{"p": 2}, {"p": 0}], True),
        ({"": SET, "/*/*": Rule(tolerance=1)}, [{"p": 1, "q": 5}] * 2, [{"p": 2, "q": 4}, {"p": 0, "q": 7}], False),
    ],
)
def test_rules(rules: dict[str, Rule], expected: Any, got: Any, same: bool) -> None:
    assert equal(rules, expected, got) is same


TAGS = {"/tags": Rule(unordered=True, casefold=True)}


@pytest.mark.parametrize(
    ("expected", "marked", "pointer", "message"),
    [
        (
            ["a", "b"],
            '{"tags": ["B", «"c"»]}',
            "/tags/1",
            'Expected "a" among the items of /tags, in any order; got "c" (',
        ),
        (
            ["a", "b"],
            '{"tags": «["b"]»}',
            "/tags",
            'Expected "a" among the items of /tags, in any order; it is not there (',
        ),
        (["a"], '{"tags": ["A", «"a"»]}', "/tags/1", 'Got "a" among the items of /tags, where it was not expected ('),
        (["a"], '{"tags": «"a"»}', "/tags", 'Expected an array of 1 item at /tags, got "a" ('),
    ],
)
def test_what_is_said_of_items_without_order(expected: Any, marked: str, pointer: str, message: str) -> None:
    text, start, end = unmarked(marked)
    verdict = Judge({}, TAGS).judge(text, "stop", {"tags": expected})
    assert (verdict.classes, verdict.values) == (("wrong_value",), False)
    assert verdict.where is not None
    assert (verdict.where.start, verdict.where.end, verdict.where.pointer) == (start, end, pointer)
    assert verdict.message.startswith(message)


@given(st.lists(st.integers(0, 6), max_size=5), st.lists(st.integers(0, 6), max_size=5), st.booleans())
def test_the_best_pairing_is_found(one: list[int], other: list[int], nested: bool) -> None:
    """Numbers that are within 1 of each other, alone and in objects, against every order there is."""
    left = [{"p": each} for each in one] if nested else one
    right = [{"p": each} for each in other] if nested else other
    found = equal(
        {"": SET, "/*/p": Rule(tolerance=1)} if nested else {"": Rule(unordered=True, tolerance=1)}, left, right
    )
    orders = permutations(other)
    assert found == (
        len(one) == len(other) and any(all(abs(a - b) <= 1 for a, b in zip(one, each, strict=True)) for each in orders)
    )


def test_a_large_array_without_order_takes_no_square() -> None:
    many = 50_000
    numbers = [number * (2**61 - 1) for number in range(many)]  # Python gives all of them the same hash
    assert equal({"": SET}, numbers, numbers[::-1])
    items = [{"p": number} for number in range(many)]
    first = next(differences(items[:3], items, cursor_of({"": SET, "/*/p": CENT})))
    assert (first.path, first.got) == ((3,), {"p": 3})


def test_a_value_too_deep_to_be_sorted_is_another_one() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    assert not equal({"": SET, "/*": SET}, [[]], [deep])
