"""Replies as models write them: the classes, the exact place of the primary one, and the sentence."""

from __future__ import annotations

from typing import Literal

import pytest

from engine.judging.judge import Judge
from engine.judging.verdict import Where
from tests.judging.marked import ALICE, GOOD, PERSON, unmarked

Finish = Literal["stop", "length"]

# reply with its break marked, finish, classes, pointer, message
WRAPPED: list[tuple[str, Finish, str, str]] = [
    (
        f"«Sure! Here is the JSON:»\n{GOOD}",
        "stop",
        "prose_before",
        "Prose before the JSON: 23 characters (line 1, column 1).",
    ),
    (
        f"\n  «Name and age:» {GOOD}\n",
        "stop",
        "prose_before",
        "Prose before the JSON: 13 characters (line 2, column 3).",
    ),
    (
        f"{GOOD}\n\n«I hope this helps!»",
        "stop",
        "prose_after",
        "Prose after the JSON: 18 characters (line 3, column 1).",
    ),
    (
        f"{GOOD}\n\n«Explanation: the age is»",
        "length",
        "prose_after",
        "Prose after the JSON: 23 characters (line 3, column 1).",
    ),
    (f"«```json»\n{GOOD}\n```", "stop", "code_fence", "A Markdown code fence around the JSON (line 1, column 1)."),
    (f"«````»\n{GOOD}\n````\n", "stop", "code_fence", "A Markdown code fence around the JSON (line 1, column 1)."),
    (f"«~~~json»\n{GOOD}\n~~~", "stop", "code_fence", "A Markdown code fence around the JSON (line 1, column 1)."),
    (f"«```json» {GOOD}```", "stop", "code_fence", "A Markdown code fence around the JSON (line 1, column 1)."),
    (f"«`»{GOOD}`", "stop", "code_fence", "Markdown code marks around the JSON (line 1, column 1)."),
    (f"{GOOD}\n«```»", "stop", "code_fence", "A Markdown code fence after the JSON (line 2, column 1)."),
    (f"«```json»\n{GOOD}\n", "length", "code_fence", "A Markdown code fence around the JSON (line 1, column 1)."),
    (
        f"«Here you go:»\n```json\n{GOOD}\n```\nAnything else?",
        "stop",
        "prose_before code_fence prose_after",
        "Prose before the JSON: 12 characters (line 1, column 1).",
    ),
    (
        f"«```»\n{GOOD}\n```\nAnything else?",
        "stop",
        "code_fence prose_after",
        "A Markdown code fence around the JSON (line 1, column 1).",
    ),
    (
        f'«<think>She is {{"age": 30}}?</think>»\n\n{GOOD}',
        "stop",
        "think_tags",
        "Thinking before the JSON: 34 characters (line 1, column 1).",
    ),
    (
        f"«She is 30.\n</think>»\nSo: {GOOD}",
        "stop",
        "think_tags prose_before",
        "Thinking before the JSON: 19 characters (line 1, column 1).",
    ),
    (f"«<think>» {GOOD}", "stop", "think_tags", "Thinking before the JSON: 7 characters (line 1, column 1)."),
    (f"«\ufeff»{GOOD}", "stop", "prose_before", "Prose before the JSON: 1 character (line 1, column 1)."),
    (
        f'«The format {{"name": <string>, "age": <int>}} gives:» {GOOD}',
        "stop",
        "prose_before",
        "Prose before the JSON: 50 characters (line 1, column 1).",
    ),
    (
        f'{GOOD}\n«{{"name": "Bob", "age"»',
        "length",
        "prose_after",
        "Prose after the JSON: 21 characters (line 2, column 1).",
    ),
]


@pytest.mark.parametrize(("marked", "finish", "classes", "message"), WRAPPED)
def test_a_good_value_in_a_wrapper(marked: str, finish: Finish, classes: str, message: str) -> None:
    text, start, end = unmarked(marked)
    verdict = Judge(PERSON).judge(text, finish, ALICE)
    assert " ".join(verdict.classes) == classes
    assert (verdict.strict, verdict.unwrapped, verdict.schema, verdict.values) == (False, True, True, True)
    assert verdict.where is not None
    assert (verdict.where.start, verdict.where.end, verdict.where.pointer) == (start, end, None)
    assert verdict.message == message


BROKEN: list[tuple[str, Finish, str, str]] = [
    ("«»", "stop", "empty", "The reply is empty (line 1, column 1)."),
    ("« \n»", "length", "empty", "The reply is empty (line 1, column 1)."),
    ("<think>Hm.</think>«»", "stop", "empty think_tags", "Nothing follows the thinking (line 1, column 19)."),
    (
        '{"name": "Ali«»',
        "length",
        "truncated",
        "The reply ends in the middle of its JSON: it reached the token limit (line 1, column 14).",
    ),
    (
        'Here:\n```json\n{\n  "name": "Alice",\n«»',
        "length",
        "truncated prose_before code_fence",
        "The reply ends in the middle of its JSON: it reached the token limit (line 5, column 1).",
    ),
    (
        "{'name': 'Alice', 'age«»",
        "length",
        "truncated single_quotes",
        "The reply ends in the middle of its JSON: it reached the token limit (line 1, column 23).",
    ),
    (
        "<think>Let me see: {«»",
        "length",
        "truncated think_tags",
        "The reply was still thinking when it reached the token limit (line 1, column 21).",
    ),
    (
        "<think>Hm.</think>\n«»",
        "length",
        "truncated think_tags",
        "The reply reached the token limit when its thinking had ended (line 2, column 1).",
    ),
    (
        '{"name": «"Alice}»\n\nI hope this helps!',
        "stop",
        "other_syntax",
        'A string that is never closed: "Alice} (line 1, column 10).',
    ),
    ('{"name": "Alice"«»', "stop", "other_syntax", "The reply ends where a closing } should be (line 1, column 17)."),
    (
        f"{GOOD}\n«{GOOD}»",
        "stop",
        "multiple_values",
        "A second JSON value, where one was asked for (line 2, column 1).",
    ),
    (
        f"1: {GOOD}\n2: «{GOOD}»",
        "stop",
        "multiple_values prose_before",
        "A second JSON value, where one was asked for (line 2, column 4).",
    ),
    (
        "{«'name'»: 'O'Brien', 'age': None,}",
        "stop",
        "single_quotes python_literal trailing_comma",
        "'name' is in single quotes where JSON has double quotes (line 1, column 2).",
    ),
    (
        '{"name": "Alice", "age": 30«,»\n}',
        "stop",
        "trailing_comma",
        "A comma with nothing after it before the } (line 1, column 28).",
    ),
    (
        '{"name": "Alice"\n «"age"»: 30}',
        "stop",
        "missing_comma",
        'A comma is missing before "age" (line 2, column 2).',
    ),
    ("[1 «2»]", "stop", "missing_comma", "A comma is missing before 2 (line 1, column 4)."),
    ('{«name»: "Alice", age: 30}', "stop", "unquoted_key", "The key name has no quotes (line 1, column 2)."),
    (
        '{"name": "Alice", «// her name»\n "age": 30}',
        "stop",
        "comment",
        "A comment, which JSON does not allow: // her name (line 1, column 19).",
    ),
    (
        '{"name": «/* who */» "Alice", "age": 30}',
        "stop",
        "comment",
        "A comment, which JSON does not allow: /* who */ (line 1, column 10).",
    ),
    (
        '{"name": "Alice", "age": «None»}',
        "stop",
        "python_literal",
        "Python's None where JSON has null (line 1, column 26).",
    ),
    (
        '{"name": "Alice", "age": «NaN»}',
        "stop",
        "nan_infinity",
        "NaN is not a JSON number (line 1, column 26).",
    ),
    ("«-Infinity»", "stop", "nan_infinity", "-Infinity is not a JSON number (line 1, column 1)."),
    (
        r'{"name": "Alice «\'»A", "age": 30}',
        "stop",
        "bad_escape",
        r"\' is not a valid JSON escape (line 1, column 17).",
    ),
    (
        r'{"name": "«\u»12G4", "age": 30}',
        "stop",
        "bad_escape",
        r"\u is not a valid JSON escape (line 1, column 11).",
    ),
    (
        '{"name": "Alice«\n»Smith", "age": 30}',
        "stop",
        "control_char",
        "An unescaped line break inside a string (line 1, column 16).",
    ),
    (
        '{"name": "Alice«\x07»", "age": 30}',
        "stop",
        "control_char",
        "An unescaped control character U+0007 inside a string (line 1, column 16).",
    ),
    (
        '{"name": "called "«Al»" by all", "age": 30}',
        "stop",
        "other_syntax",
        "Unexpected Al where a comma or the closing bracket should be; "
        "a double quote inside a string needs a backslash (line 1, column 19).",
    ),
    (
        '{"name" «=» "Alice"}',
        "stop",
        "other_syntax",
        "Unexpected = where a colon should be (line 1, column 9).",
    ),
    (
        '{"name": "Alice", "age": «thirty»}',
        "stop",
        "other_syntax",
        "Unexpected thirty where a value should be (line 1, column 26).",
    ),
    (
        '{"name": "Alice", "age": «030»}',
        "stop",
        "other_syntax",
        "030 is not a valid JSON number (line 1, column 26).",
    ),
    (
        f"{{«{{»{GOOD[1:]}}}",
        "stop",
        "other_syntax",
        "Unexpected { where a key in double quotes or } should be (line 1, column 2).",
    ),
    ('{"name": [«}»', "stop", "other_syntax", "Unexpected } where a value or ] should be (line 1, column 11)."),
    (
        "«Her name:» {'name': 'Alice', 'age': 30}",
        "stop",
        "prose_before single_quotes",
        "Prose before the JSON: 9 characters (line 1, column 1).",
    ),
    (
        '«def extract(text):\n    return» {"name": name}\n\nprint(extract(text))',
        "length",
        "prose_before prose_after other_syntax",
        "Prose before the JSON: 29 characters (line 1, column 1).",
    ),
    (
        "«I'm sorry, but I can't assist with that request.»",
        "stop",
        "refusal",
        "The model refuses: \"I'm sorry, but I can't assist with that …\" (line 1, column 1).",
    ),
    (
        "«Sorry, I am unable to extract a name\x1b[2J from this.»",
        "stop",
        "refusal",
        'The model refuses: "I am unable to extract a name\\x1b[2J from t…" (line 1, column 1).',
    ),
    (
        "«My name is Alice and I am 30.»",
        "stop",
        "other_syntax",
        'No JSON in the reply; it begins "My name is Alice and I am 30." (line 1, column 1).',
    ),
    (
        "«Alice is»",
        "length",
        "other_syntax",
        'No JSON in the reply up to the token limit; it begins "Alice is" (line 1, column 1).',
    ),
    (
        "«See section 4 {of the manual}»",
        "stop",
        "other_syntax",
        'No JSON in the reply; it begins "See section 4 {of the manual}" (line 1, column 1).',
    ),
]


@pytest.mark.parametrize(("marked", "finish", "classes", "message"), BROKEN)
def test_a_reply_without_a_value(marked: str, finish: Finish, classes: str, message: str) -> None:
    text, start, end = unmarked(marked)
    verdict = Judge(PERSON).judge(text, finish, ALICE)
    assert " ".join(verdict.classes) == classes
    assert (verdict.strict, verdict.unwrapped, verdict.schema, verdict.values) == (False, False, False, False)
    assert verdict.where is not None
    assert (verdict.where.start, verdict.where.end) == (start, end)
    assert verdict.message == message
    assert Judge(PERSON).judge(text, finish, None).values is None


def test_wrapper_and_shape_at_once() -> None:
    verdict = Judge(PERSON).judge('Result: {"name": "Alice", "age": "30"}', "stop", ALICE)
    assert verdict.classes == ("prose_before", "wrong_type")
    assert (verdict.strict, verdict.unwrapped, verdict.schema, verdict.values) == (False, True, False, False)


@pytest.mark.parametrize("finish", ["stop", "length"])
def test_ok(finish: Finish) -> None:
    verdict = Judge(PERSON).judge(f" \r\n{GOOD}\t", finish, ALICE)
    assert verdict.ok
    assert (verdict.strict, verdict.unwrapped, verdict.schema, verdict.values) == (True, True, True, True)
    assert verdict.where is None
    assert verdict.message == "Valid JSON that satisfies the schema and has the expected values."


def test_nothing_expected() -> None:
    verdict = Judge(PERSON).judge(GOOD, "stop", None)
    assert verdict.classes == ("ok",)
    assert verdict.values is None
    assert verdict.message == "Valid JSON that satisfies the schema."


def test_a_repeated_key_is_strict_but_not_ok() -> None:
    text = '{"name": "Bob", "name": "Alice", "age": 30}'
    verdict = Judge(PERSON).judge(text, "stop", ALICE)
    assert (verdict.strict, verdict.unwrapped, verdict.schema, verdict.values) == (True, True, True, True)
    assert verdict.classes == ("duplicate_key",)
    assert verdict.where == Where(16, 22, 1, 17, "")


@pytest.mark.parametrize("text", ["42", "```\n42\n```", "<think>6 x 7</think>\n42", "The answer:\n\n```json\n42\n```"])
def test_a_lone_scalar_is_found(text: str) -> None:
    verdict = Judge({"type": "integer"}).judge(text, "stop", 42)
    assert (verdict.strict, verdict.unwrapped, verdict.values) == (text == "42", True, True)


@pytest.mark.parametrize("text", ["The answer is 42", "42 is the answer", "It is true that 6 x 7 is\n42"])
def test_a_scalar_in_prose_is_not_a_value(text: str) -> None:
    verdict = Judge({"type": "integer"}).judge(text, "stop", 42)
    assert (verdict.unwrapped, verdict.values, verdict.classes) == (False, False, ("other_syntax",))


def test_what_the_model_wrote_is_quoted_short_and_harmless() -> None:
    name = "\\u001b]0;owned\\u0007\\u202e" + "x" * 100
    verdict = Judge(PERSON).judge(f'{{"name": "{name}", "age": 30}}', "stop", ALICE)
    assert verdict.message == (
        'Expected "Alice" at /name, got "\\x1b]0;owned\\x07\\u202exxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" (line 1, column 10).'
    )
