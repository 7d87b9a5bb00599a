"""Tokens as the token view shows them, and the table of values: what they say, without a screen."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from engine.judging.compare import Rule, cursor_of
from engine.records import Candidate, Fork, Record
from engine.runs.job_facts import facts_of
from tests.helpers import close_story, story
from tui.pages.record import record_text
from tui.pages.tokens import choices_at, describe_token, exact_percent, rows_of, token_of, tokens_of
from tui.pages.values import values_lines
from tui.state.job import JobState
from tui.state.manifest_facts import PromptFacts, RunFacts


def test_tokens_have_their_text_and_a_part_of_a_character_says_so() -> None:
    reply = close_story.reply('{"a": 語}', prefill='{"')
    tokens = tokens_of(reply, '{"')
    assert "".join(token.text for token in tokens) == 'a": 語}'
    assert [token.shown for token in tokens] == ["a", '"', ":", "…", "…", "·語", "}"]
    assert list(describe_token(tokens, 3, None)) == [
        "token 3 of 7  part of a character that token 5 completes  id 1003  p 3.00%"
    ]
    assert list(describe_token(tokens, 5, None)) == [
        'token 5 of 7  " 語"  id 1005  p 99.96%',
        "It completes a character that the tokens before it began.",
    ]


def test_an_older_record_has_ids_and_nothing_that_was_not_kept() -> None:
    tokens = tokens_of(close_story.reply('{"a": 1}', kept=False), "")
    assert [token.shown for token in tokens][:2] == ["[1000]", "[1001]"]
    assert {token.percent for token in tokens} == {""}
    assert list(describe_token(tokens, 0, None)) == ["token 0 of 7  id 1000"]


@pytest.mark.parametrize(
    ("p", "short", "exact", "level"),
    [
        (1.0, "100", "100%", 0),
        (0.99996, "100", ">99.99%", 0),
        (0.9, "90", "90.00%", 0),
        (0.62, "62", "62.00%", 1),
        (0.3, "30", "30.00%", 2),
        (0.03, "3", "3.00%", 3),
        (0.0049, "<1", "0.49%", 4),
        (3.98e-5, "<1", "0.004%", 4),
        (0.0, "<1", "0%", 4),
    ],
)
def test_probabilities(p: float, short: str, exact: str, level: int) -> None:
    token = token_of(0, 1, "x", p)
    assert (token.percent, exact_percent(p), token.level) == (short, exact, level)


@given(
    st.lists(st.sampled_from(["a", "語", "\n", "long word", ""]), max_size=40), st.integers(6, 30), st.integers(0, 9)
)
def test_rows_hold_all_tokens_in_order_and_keep_the_width(texts: list[str], width: int, marked: int) -> None:
    tokens = [token_of(number, number, text, 0.5) for number, text in enumerate(texts)]
    rows = rows_of(tokens, width, marked)
    assert [number for row in rows for number in row] == list(range(len(tokens)))
    for row in rows:
        used = sum(tokens[number].cells + 1 + (number == marked) for number in row) - 1
        assert used <= width or len(row) == 1
        assert all("\n" not in tokens[number].text for number in row[:-1])


def test_candidates_say_which_the_grammar_allowed() -> None:
    choices = choices_at(close_story.fork())
    assert [(choice.candidate.token, choice.allowed, choice.taken) for choice in choices[:6]] == [
        ("Sure", False, "free"),
        ("Here", False, None),
        (" {", True, None),
        ("The", False, None),
        ("```", False, None),
        ("{", True, "constrained"),
    ]
    assert len({choice.candidate.id for choice in choices}) == len(choices) == 18


def test_a_sampled_fork_does_not_claim_what_its_record_does_not_tell() -> None:
    favourites = tuple(Candidate(str(number), number, 0.09) for number in range(1, 10))
    wanted = Candidate("rare", 50, 0.01)
    fork = Fork(3, 9, (wanted, *favourites), (Candidate("other", 60, 0.02), *favourites), 0.8)
    allowed = {choice.candidate.token: choice.allowed for choice in choices_at(fork)}
    assert allowed["rare"] is None
    assert allowed["other"] is True
    assert allowed["1"] is True


def table(
    record: Record, width: int = 76, labels: tuple[str, str] = ("free", "constrained"), **facts: Any
) -> list[str]:
    info = replace(story.info("naive", record.case), expected=record.expected)
    job = JobState(info)
    job.finish(facts_of(record), record)
    lines = values_lines(job, labels, RunFacts(**facts), width)
    texts = ["".join(text for text, _ in line) for line in lines]
    assert all(cell_len(text) <= width for text in texts)
    return [text.rstrip() for text in texts]


def test_values_are_next_to_the_expected_ones_and_differences_are_marked() -> None:
    rules = cursor_of({"/name": Rule(casefold=True), "/tags": Rule(unordered=True)})
    lines = table(close_story.records()[0], rules=rules)
    assert [line.split() for line in lines[:7]] == [
        ["field", "expected", "free", "constrained"],
        ["!!", "3", "differ", "!!", "1", "differs"],
        ["/name", '"Zoë', '語"', '"zoë', '語"', '"Zoë', '語"'],
        ["/age", "31", "!!", "30", "!!", "(nothing)"],
        ["/tags/*", '"a"', "!!", '"c"', '"a"'],
        ["/tags/*", '"b"', '"b"', '"b"'],
        ["/city", "!!", '"Oslo"'],
    ]
    assert "The two replies do not agree on the values." in lines
    assert "baseline" in table(close_story.records()[0], labels=("baseline", "candidate"))[0]


def test_a_reply_without_a_value_says_why_and_a_long_one_continues_below() -> None:
    cut = table(close_story.records()[3])
    assert cut[1].split() == ["!!", "no", "value", "xx", "not", "decoded"]
    assert "free: The reply ends where a closing } should be (line 1, column 22)." in cut
    assert "constrained: No room." in cut
    long = table(
        close_story.record("x", close_story.reply('{"name": "' + "word " * 400 + '"}'), close_story.reply("{}"))
    )
    name = next(number for number, line in enumerate(long) if line.startswith("/name"))
    assert '!! "word word' in long[name]
    assert long[name + 5].endswith("…")
    assert long[name + 6].startswith("/age")


def test_thinking_is_set_aside_as_the_judge_does() -> None:
    record = close_story.record("x", close_story.reply('so {"a": 1}</t>{"name": 1}'), close_story.reply("{}"))
    assert "!! no value" in table(record)[1]
    assert "!! no value" not in table(record, prompts={"naive": PromptFacts(think_close="</t>")})[1]


def test_what_was_never_expected_is_compared_with_the_other_reply() -> None:
    lines = table(close_story.records()[2])
    assert [line.split() for line in lines[:4]] == [
        ["field", "free", "constrained"],
        ["!!", "1", "differs"],
        ["/a", "1", "1"],
        ["/b", "!!", "2"],
    ]
    assert "Nothing was expected of this case: only its schema counts." in lines


def test_a_record_is_json_with_its_keys_in_order_and_numbers_on_one_line() -> None:
    record = close_story.records()[0]
    text = record_text(record)
    assert list(json.loads(text)) == [*Record.__slots__]
    assert json.loads(text)["free"]["ends"] == list(record.free.ends)
    assert '\n    "tokens": [1000, 1001, ' in text
    assert '"baseline": {' in record_text(record, ("baseline", "candidate"))
