"""Variations keep what is expected, or are not applied; the same seed gives the same text everywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.suites.suite import find_suites, load_suite
from engine.suites.tables import Case
from engine.variations import VARIATIONS, Rewriter

FILES = find_suites(Path(__file__).parents[2] / "suites")
ALICE = Case(id="alice", input="My married name is Alice and I am 30 years old.", expected={"name": "Alice", "age": 30})


def rewritten(text: str, expected: Any, name: str, *others: Case, seed: int = 0) -> str | None:
    case = Case(id="it", input=text, expected=expected)
    return Rewriter([case, *others], seed).rewrite(case, [name]).get(name)


def leaves(value: Any) -> list[Any]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [value] if parts is None else [leaf for part in parts for leaf in leaves(part)]


def ascii_digits(text: str) -> str:
    return "".join(str(int(char)) if char.isdecimal() else char for char in text)


def assert_kept(case: Case, new: str, name: str) -> None:
    """What is verbatim in the old text is verbatim in the new one, and no number is new."""
    place = f"{case.id}~{name}: {new}"
    assert new != case.input, place
    for leaf in leaves(case.expected):
        if isinstance(leaf, str) and leaf in case.input:
            whole_word = re.search(rf"(?<![a-zA-Z]){re.escape(leaf)}(?![a-zA-Z])", case.input)
            assert leaf in new or not whole_word, place
        elif isinstance(leaf, int) and not isinstance(leaf, bool) and re.search(rf"(?<!\w){leaf}(?!\w)", case.input):
            assert re.search(rf"(?<!\w){leaf}(?!\w)", ascii_digits(new)), place
    old_numbers, new_numbers = (set(re.findall(r"\d+", ascii_digits(text))) for text in (case.input, new))
    assert new_numbers <= old_numbers, place


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_every_case_of_the_suites_keeps_its_values(file: Path) -> None:
    suite = load_suite(file)
    rewriter = Rewriter(suite.cases, suite.generation.seed)
    for case in suite.cases:
        for name, text in rewriter.rewrite(case).items():
            assert_kept(case, text, name)


def test_every_variation_has_its_two_lines_and_can_be_applied() -> None:
    assert len(VARIATIONS) >= 14
    applied = Rewriter([ALICE], 0).rewrite(ALICE)
    assert list(applied) == list(VARIATIONS)
    for variation in VARIATIONS.values():
        assert variation.changes.endswith(".")
        assert variation.holds.endswith(".")


WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=9)
NAMES = st.from_regex(r"[A-Z][a-zé'\-\\\" ]{0,10}[a-z0-9]", fullmatch=True)
SCALARS = NAMES | WORDS | st.integers(-99, 9999) | st.booleans() | st.none()
VALUES = st.dictionaries(WORDS, SCALARS | st.lists(SCALARS, max_size=2), max_size=3)
GLUE = st.text(alphabet="abc XYZ.,:;\n\"'\\<>{}`|-é中９", max_size=12)


@given(data=st.data(), expected=VALUES, seed=st.integers(0, 9))
def test_protected_spans_survive_in_any_text(data: st.DataObject, expected: dict[str, Any], seed: int) -> None:
    """Expected values between words and marks of all kinds: what a value is part of decides what may happen to it."""
    values = [str(leaf) for leaf in leaves(expected)]
    text = "".join(part for value in values for part in (data.draw(GLUE), " ", value, " ")) + data.draw(GLUE)
    case = Case(id="any", input=text, expected=expected)
    for name, new in Rewriter([case], seed).rewrite(case).items():
        assert_kept(case, new, name)


@given(text=st.text(max_size=60), expected=st.none() | st.text(max_size=5) | st.integers())
def test_any_input_is_taken(text: str, expected: Any) -> None:
    case = Case(id="any", input=text, expected=expected)
    assert all(isinstance(new, str) and new != text for new in Rewriter([case], 0).rewrite(case).values())


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ["x" * 100_000, "1" * 100_000, "word " * 20_000, "1.1," * 25_000, '\\"{' * 30_000])
def test_long_inputs_take_no_time(text: str) -> None:
    case = Case(id="long", input=text, expected={"name": "word", "age": 10**400})
    Rewriter([case], 0).rewrite(case)


def test_the_same_seed_gives_the_same_text_on_every_machine() -> None:
    """Written down: a text that came out otherwise would be another experiment under the same name."""
    texts = Rewriter([ALICE], 7).rewrite(ALICE)
    assert texts["upper-case"] == "MY MARRIED NAME IS Alice AND I AM 30 years OLD."
    assert texts["reordered"] == "I am 30 years old and my married name is Alice."
    assert texts["very-short"] == "Alice, 30"
    assert texts["typos"] == "My mraried name is Alice and I am 30 years old."
    assert texts["white-space"] == "My  married  name is Alice and I  am  30 years  old."
    assert texts["quotes"] == 'My married name is "Alice" and I am 30 years old.'
    assert texts["emoji"] == "My married name 🎈 is Alice and 🪁 I 🪁 am 30 years old."
    assert texts["other-digits"] == "My married name is Alice and I am ๓๐ years old."
    assert texts["html"] == f'<div class="body">\n<section>{ALICE.input}</section>\n</div>'
    assert texts == Rewriter([ALICE], 7).rewrite(ALICE)
    other = Rewriter([ALICE], 8).rewrite(ALICE)
    assert len([name for name in texts if texts[name] != other[name]]) > 8


def test_a_choice_of_some_is_drawn_for_each_case() -> None:
    cases = [Case(id=f"c{number}", input=ALICE.input, expected=ALICE.expected) for number in range(9)]
    rewriter = Rewriter(cases, 0)
    chosen = [tuple(rewriter.choose(case, VARIATIONS, 3)) for case in cases]
    assert all(len(names) == 3 for names in chosen)
    assert len(set(chosen)) > 4
    assert chosen == [tuple(rewriter.choose(case, VARIATIONS, 3)) for case in cases]
    assert list(rewriter.choose(ALICE, ["html", "typos"], 5)) == ["html", "typos"]
    assert list(rewriter.choose(ALICE, VARIATIONS, 0)) == list(VARIATIONS)


REFUSED = [
    ("typos", "In two years Yara will be forty.", {"name": "Yara", "age": 38}, "the age is worked out from words"),
    ("typos", "The lamp arrived broken.", {"refund": True}, "a boolean is nowhere in the text"),
    ("upper-case", "def f(x): return x", {"name": "f"}, "code"),
    ("quotes", 'The "Kick-off" is with Alice.', {"title": "Kick-off", "who": "Alice"}, "quotes say what the title is"),
    ("html", "Alice & Bob are 30.", {"age": 30}, "it would have to be escaped"),
    ("other-digits", "Order A-40 is due.", {"order": "A-40"}, "a string is copied digit by digit"),
    ("other-digits", "On 10 March 2026 Bob is 9.", {"date": "2026-03-10", "age": 9}, "a string is made of digits"),
    (
        "distractor-after",
        "Tell Ana that dinner is ready",
        {"text": "dinner is ready"},
        "it might belong to the message",
    ),
    ("distractor-before", "Mein Router ist defekt.", {"language": "de"}, "English would change the language"),
    ("second-person", "Ana and Bob come.", {"name": "Ana", "others": ["Bob"]}, "a list could include another"),
    ("second-person", "Ana is 3.", {"age": 3}, "no name is asked for"),
    ("reordered", "I am 30 and my sister is 20, she said.", {"age": 30}, "she leans on my sister"),
    ("reordered", "Nadia is 38. No, sorry: Nadia is 39.", {"name": "Nadia", "age": 39}, "a correction"),
    ("reordered", "Milk: two\nRice: three", {"items": ["two", "three"]}, "the order of a list"),
    ("reordered", "Temp morning: high\nTemp evening: low", {"temp": "low"}, "the last measurement may be what counts"),
    ("foreign-frame", "Set a timer for 5 minutes.", {"tool": "set_timer", "arguments": {"minutes": 5}}, "a request"),
    ("hidden-instruction", "Set a timer.", {"tool": "set_timer"}, "one request is as good as another"),
    ("json-like", "Ana is 3.", {"export": "x", "meta": "y", "widget": "z", "page": 1}, "its keys are expected"),
    ("very-short", "Grace is thirty-four.", {"name": "Grace", "age": 34}, "the age is worked out"),
    ("very-short", "Ana is 3.", {"name": "Ana", "age": 3, "pets": None}, "null cannot be said so"),
]


@pytest.mark.parametrize(("name", "text", "expected", "why"), REFUSED)
def test_a_variation_that_could_change_a_value_is_not_applied(name: str, text: str, expected: Any, why: str) -> None:
    assert rewritten(text, expected, name) is None, why


def test_what_is_added_holds_nothing_that_the_suite_expects_anywhere() -> None:
    other = Case(
        id="other", input="…", expected={"words": ["the pond", "clouds", "leaves", "staircase", "poem", "joke"]}
    )
    for seed in range(5):
        long = rewritten("Ana is 3.", {"name": "Ana"}, "very-long", other, seed=seed)
        assert long is not None
        assert not re.search(r"pond|clouds|leaves|staircase", long)
        hidden = rewritten("Ana is 3.", {"name": "Ana"}, "hidden-instruction", other, seed=seed)
        assert hidden is not None
        assert not re.search(r"poem|joke", hidden)


def test_a_second_person_is_none_that_the_suite_knows() -> None:
    known = Case(id="known", input="Harriet, Noriko, Feodor and Imelda", expected=None)
    new = rewritten("Ana is 3.", {"name": "Ana", "age": 3}, "second-person", known)
    assert new is not None
    assert "Desmond Achterberg" in new


def test_a_form_is_shuffled_under_its_heading() -> None:
    new = rewritten("CARD\nFull name: Carla\nAge: 46", {"name": "Carla", "age": 46}, "reordered")
    assert new == "CARD\nAge: 46\nFull name: Carla"


def test_words_of_an_expected_string_are_kept_where_they_are_in_another_order() -> None:
    assert rewritten("SMITH, Alice is a nurse", {"name": "Alice SMITH"}, "lower-case") is None
    assert rewritten("Smith, Alice IS A NURSE", {"name": "Alice Smith"}, "lower-case") == "Smith, Alice is a nurse"
