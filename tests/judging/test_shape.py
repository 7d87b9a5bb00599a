"""The schema check: a full validator in both dialects, and where its errors are in the text."""

from __future__ import annotations

import socket
from typing import Any, NoReturn

import pytest

from engine.judging.judge import Judge
from tests.judging.marked import ALICE, PERSON, unmarked

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
TOOLS = {
    "anyOf": [
        {
            "type": "object",
            "required": ["tool", "query"],
            "properties": {"tool": {"const": "search"}, "query": {"type": "string"}},
        },
        {
            "type": "object",
            "required": ["tool", "city", "days"],
            "properties": {"tool": {"const": "weather"}, "city": {"type": "string"}, "days": {"type": "integer"}},
        },
    ]
}

# schema, reply with its break marked, class, pointer, what the message begins with
FAULTS: list[tuple[dict[str, Any], str, str, str, str]] = [
    ({"type": "array"}, "«{}»", "wrong_type", "", "The value is an object where an array was asked for"),
    (
        {"properties": {"a": {"items": {"required": ["b"]}}}},
        '{"a": [{"b": 1}, «{"c": {}}»]}',
        "missing_key",
        "/a/1",
        '"b" is missing in /a/1',
    ),
    (
        {"properties": {"a/b": {"items": {"additionalProperties": False}}}},
        '{"a/b": [{}, {«"x~y"»: 1}]}',
        "extra_key",
        "/a~1b/1/x~0y",
        '"x~y" is not among the keys asked for in /a~1b/1',
    ),
    (
        {"patternProperties": {"^x": {}}, "properties": {"a": {}}, "additionalProperties": False},
        '{"x1": 1, "a": 1, «"b"»: 1}',
        "extra_key",
        "/b",
        '"b" is not among the keys asked for',
    ),
    (
        {"properties": {"a": {}}, "unevaluatedProperties": False},
        '{"a": 1, «"b"»: 2}',
        "extra_key",
        "/b",
        '"b" is not among the keys asked for',
    ),
    ({"dependentRequired": {"a": ["b"]}}, '«{"a": 1}»', "missing_key", "", '"b" is missing'),
    ({"$schema": DRAFT_7, "dependencies": {"a": ["b"]}}, '«{"a": 1}»', "missing_key", "", '"b" is missing'),
    ({"propertyNames": {"maxLength": 2}}, '{"ab": 1, «"abc"»: 2}', "constraint", "/abc", "The key has 3 characters"),
    ({"properties": {"a": False}}, '{«"a"»: 1}', "extra_key", "/a", '"a" is not among the keys asked for'),
    (
        {"properties": {"a": {"type": ["string", "null"]}}},
        '{"a": «5»}',
        "wrong_type",
        "/a",
        '"a" is an integer where a string or null was asked for',
    ),
    (
        {"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}},
        '{"a": «5.5»}',
        "wrong_type",
        "/a",
        '"a" is a number where a string or null was asked for',
    ),
    ({"type": "integer"}, "«true»", "wrong_type", "", "The value is a boolean where an integer was asked for"),
    (
        {"properties": {"a": {"enum": ["open", "closed", None]}}},
        '{"a": «"opened"»}',
        "constraint",
        "/a",
        '"a" is "opened" where "open", "closed" or null was asked for',
    ),
    ({"enum": [1, 2]}, "«true»", "constraint", "", "The value is true where 1 or 2 was asked for"),
    ({"const": 1}, "«2»", "constraint", "", "The value is 2 where 1 was asked for"),
    ({"items": {"maximum": 3}}, "[1, «4»]", "constraint", "/1", "/1 is 4, more than 3"),
    ({"exclusiveMinimum": 0}, "«0»", "constraint", "", "The value is 0, not more than 0"),
    ({"exclusiveMaximum": 1}, "«1.0»", "constraint", "", "The value is 1.0, not less than 1"),
    ({"multipleOf": 0.01}, "«19.999»", "constraint", "", "The value is 19.999, not a multiple of 0.01"),
    ({"multipleOf": 5}, "«1e999»", "constraint", "", "The value is inf, not a multiple of 5"),
    ({"minLength": 1}, '«""»', "constraint", "", "The value has 0 characters where at least 1 were asked for"),
    ({"maxItems": 1}, "«[1, 2]»", "constraint", "", "The value has 2 items where at most 1 were asked for"),
    ({"minProperties": 2}, '«{"a": 1}»', "constraint", "", "The value has 1 key where at least 2 were asked for"),
    (
        {"pattern": "^[A-Z]"},
        '«"alice"»',
        "constraint",
        "",
        'The value is "alice", which does not match the pattern "^[',
    ),
    ({"format": "date"}, '«"30 May"»', "constraint", "", 'The value is "30 May", which is not of the format "date"'),
    ({"format": "email"}, '«"alice"»', "constraint", "", 'The value is "alice", which is not of the format "email"'),
    ({"uniqueItems": True}, "«[1, {}, 1.0]»", "constraint", "", "The value has an item twice"),
    ({"contains": {"const": 1}}, "«[2]»", "constraint", "", 'The value does not satisfy "contains" of the schema'),
    ({"oneOf": [{"minimum": 1}, {"minimum": 2}]}, "«3»", "constraint", "", "The value fits several of the schemas"),
    (TOOLS, '«{"tool": "weather", "city": "Oslo"}»', "missing_key", "", '"days" is missing'),
    (TOOLS, '{"tool": "search", "query": «7»}', "wrong_type", "/query", '"query" is an integer where a string'),
    (TOOLS, '{"tool": «"news"», "query": "x"}', "constraint", "/tool", '"tool" is "news" where "search" was asked for'),
    (
        {
            "$ref": "#/$defs/node",
            "$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}, "v": {"minimum": 0}}}},
        },
        '{"v": 1, "next": {"v": 2, "next": {"v": «-1»}}}',
        "constraint",
        "/next/next/v",
        "/next/next/v is -1, less than 0",
    ),
    (
        {"prefixItems": [{"type": "string"}], "items": False},
        '«["a", 1]»',
        "constraint",
        "",
        "The value has 2 items, more than were asked for",
    ),
    (
        {"$schema": DRAFT_7, "items": [{"type": "string"}]},
        "[«1»]",
        "wrong_type",
        "/0",
        "/0 is an integer where a string",
    ),
]


@pytest.mark.parametrize(("schema", "marked", "failure", "pointer", "message"), FAULTS)
def test_faults_of_shape(schema: dict[str, Any], marked: str, failure: str, pointer: str, message: str) -> None:
    text, start, end = unmarked(marked)
    verdict = Judge(schema).judge(text, "stop", None)
    assert verdict.classes == (failure,)
    assert (verdict.strict, verdict.unwrapped, verdict.schema) == (True, True, False)
    assert verdict.where is not None
    assert verdict.message.startswith(message)
    assert (verdict.where.start, verdict.where.end, verdict.where.pointer) == (start, end, pointer)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "integer"}, "30.0"),
        ({"multipleOf": 0.01}, "19.99"),
        ({"multipleOf": 0.1}, "1e308"),
        ({"uniqueItems": True}, '[1, true, "1", [1], [true], {"a": 1}, {"a": 2}, null]'),
        ({"format": "date"}, '"2024-02-29"'),
        ({"items": [{"type": "string"}], "$schema": DRAFT_7}, '["a", 1]'),
        (TOOLS, '{"tool": "search", "query": "x"}'),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, "null"),
        ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, '{"type": "object"}'),
    ],
)
def test_valid(schema: dict[str, Any], text: str) -> None:
    assert Judge(schema).judge(text, "stop", None).ok


def test_a_reference_out_of_the_schema_is_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> NoReturn:
        pytest.fail("the judge opened a connection")

    monkeypatch.setattr(socket, "socket", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    verdict = Judge({"$ref": "http://example.org/schema.json"}).judge("1", "stop", None)
    assert verdict.schema is False
    assert verdict.classes == ("constraint",)


def test_a_value_too_deep_for_a_recursive_schema_gets_a_verdict() -> None:
    schema = {"properties": {"next": {"$ref": "#"}}}
    verdict = Judge(schema).judge('{"next": ' * 800 + "{}" + "}" * 800, "stop", None)
    assert verdict.schema is False
    assert verdict.classes in (("constraint",), ("other_syntax",))


@pytest.mark.parametrize(
    ("expected", "marked", "pointer", "message"),
    [
        (1, "«true»", "", "Expected 1, got true"),
        ({"a": [1, {"b": None}]}, '{"a": [1, {"b": «0»}]}', "/a/1/b", "Expected null at /a/1/b, got 0"),
        ({"a": [1, 2]}, '{"a": «[1]»}', "/a", "Expected 2 at /a/1, got nothing"),
        ({"a": [1]}, '{"a": [1, «"x"»]}', "/a/1", 'Got "x" at /a/1, where nothing was expected'),
        ({"a": 1}, '{"a": 1, «"b"»: [2]}', "/b", "Got an array of 1 item at /b, where nothing was expected"),
        ({"a": 1, "b": 2}, '«{"a": 1}»', "", "Expected 2 at /b, got nothing"),
        ({"a": {"b": 1}}, '{"a": «"b"»}', "/a", 'Expected an object with 1 key at /a, got "b"'),
        ({"x": {"a": 1}, "a": 1}, '{"x": {"a": 1}, "a": «2»}', "/a", "Expected 1 at /a, got 2"),
    ],
)
def test_wrong_values(expected: Any, marked: str, pointer: str, message: str) -> None:
    text, start, end = unmarked(marked)
    verdict = Judge({}).judge(text, "stop", expected)
    assert verdict.classes == ("wrong_value",)
    assert (verdict.schema, verdict.values) == (True, False)
    assert verdict.where is not None
    assert (verdict.where.start, verdict.where.end, verdict.where.pointer) == (start, end, pointer)
    assert verdict.message.startswith(message)


@pytest.mark.parametrize(
    ("expected", "text"),
    [(1, "1.0"), (1.0, "1"), ({"a": 1, "b": [True]}, '{"b": [true], "a": 1e0}'), (False, "false"), ([], "[]")],
)
def test_right_values(expected: Any, text: str) -> None:
    assert Judge({}).judge(text, "stop", expected).values is True


def test_a_key_that_utf8_cannot_carry() -> None:
    verdict = Judge({"additionalProperties": False}).judge(r'{"\ud800": 1}', "stop", None)
    assert verdict.where is not None
    assert verdict.where.pointer == "/\ufffd"
    assert verdict.message == '"\\ud800" is not among the keys asked for (line 1, column 2).'


SHAPED: list[tuple[str, str, str, str]] = [
    ("«[]»", "not_object", "", "The value is an array where an object was asked for (line 1, column 1)."),
    ("«null»", "not_object", "", "The value is null where an object was asked for (line 1, column 1)."),
    ('«{"name": "Alice"}»', "missing_key", "", '"age" is missing (line 1, column 1).'),
    ("«{}»", "missing_key", "", '"name" and "age" are missing (line 1, column 1).'),
    (
        '{"name": "Alice", "age": 30, «"job"»: null}',
        "extra_key",
        "/job",
        '"job" is not among the keys asked for (line 1, column 30).',
    ),
    (
        '{"name": "Alice", "age": «"30"»}',
        "wrong_type",
        "/age",
        '"age" is a string where an integer was asked for (line 1, column 26).',
    ),
    ('{"name": "Alice", "age": «-3»}', "constraint", "/age", '"age" is -3, less than 0 (line 1, column 26).'),
    (
        '{"name": «"alice"», "age": 30}',
        "wrong_value",
        "/name",
        'Expected "Alice" at /name, got "alice" (line 1, column 10).',
    ),
    (
        '{"age": 30, «"age"»: 30, "name": "Alice"}',
        "duplicate_key",
        "",
        'The key "age" comes twice in one object: only the last one counts (line 1, column 13).',
    ),
    (
        '«{"Name": "alice", "age": "30"}»',
        "missing_key extra_key wrong_type",
        "",
        '"name" is missing (line 1, column 1).',
    ),
    (
        '{"name": "bob", "age": «"30"»}',
        "wrong_type wrong_value",
        "/age",
        '"age" is a string where an integer was asked for (line 1, column 24).',
    ),
    (
        '{"name": "Alice", "age": 4, «"age"»: -4}',
        "duplicate_key constraint",
        "",
        'The key "age" comes twice in one object: only the last one counts (line 1, column 29).',
    ),
]


@pytest.mark.parametrize(("marked", "classes", "pointer", "message"), SHAPED)
def test_json_that_is_not_what_was_asked_for(marked: str, classes: str, pointer: str, message: str) -> None:
    text, start, end = unmarked(marked)
    verdict = Judge(PERSON).judge(text, "stop", ALICE)
    assert " ".join(verdict.classes) == classes
    assert verdict.strict
    assert verdict.unwrapped
    assert verdict.where is not None
    assert (verdict.where.start, verdict.where.end, verdict.where.pointer) == (start, end, pointer)
    assert verdict.message == message
