"""While a reply streams: nothing that can still become ok is flagged, and what cannot is flagged at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.judging.breaks import Break
from engine.judging.judge import Judge
from engine.judging.live import LiveChecker
from engine.judging.possible import SchemaPrefixes
from engine.judging.wrappers import blank_thoughts
from engine.suites.schema_check import schema_faults
from tests.judging.marked import GOOD, PERSON, unmarked
from tests.judging.test_properties import damaged, dumped, jsonish, persons
from tests.judging.test_shape import DRAFT_7, FAULTS, TOOLS

STATUS: dict[str, Any] = {"type": "object", "properties": {"status": {"enum": ["open", "closed", None]}}}
ORDER: dict[str, Any] = {
    "$ref": "#/$defs/order",
    "$defs": {
        "order": {
            "type": "object",
            "required": ["items"],
            "additionalProperties": False,
            "properties": {
                "items": {"type": "array", "maxItems": 2, "items": {"$ref": "#/$defs/item"}},
                "then": {"$ref": "#"},
            },
        },
        "item": {
            "type": "object",
            "properties": {
                "id": {"type": "integer", "minimum": 1},
                "sku": {"type": ["string", "null"], "pattern": "^A"},
            },
            "additionalProperties": False,
        },
    },
}


def stream(schema: dict[str, Any], text: str, size: int = 1) -> tuple[int, Break] | None:
    """How many characters had been pushed when the reply was flagged, and the break."""
    live = LiveChecker(SchemaPrefixes(schema))
    for at in range(0, len(text), size):
        found = live.push(text[at : at + size])
        if found is not None:
            return min(at + size, len(text)), found
    return None


# schema, the reply with what is marked at the break (which ends with the character that shows it), class, sentence
EARLY: list[tuple[dict[str, Any], str, str, str]] = [
    (PERSON, "«S»ure! Here is", "prose_before", "The reply does not begin with JSON but with S"),
    (PERSON, "«t»he JSON", "prose_before", "The reply does not begin with JSON but with t"),
    (PERSON, f"\n«`»``json\n{GOOD}", "code_fence", "The reply does not begin with JSON but with `"),
    (PERSON, f"«<»think>Hm.</think>{GOOD}", "think_tags", "The reply does not begin with JSON but with <"),
    (PERSON, f"{GOOD}\n\n«I» hope", "prose_after", "The reply continues after its JSON"),
    (PERSON, f"{GOOD}\n«`»``", "code_fence", "The reply continues after its JSON"),
    (PERSON, f"{GOOD} «{{»", "multiple_values", "A second JSON value, where one was asked for"),
    (PERSON, "«[»1]", "not_object", "The value begins as an array, which was not asked for"),
    (PERSON, '{"name": «3»0}', "wrong_type", '"name" begins as a number, which was not asked for'),
    (PERSON, '{"name": "Al", "age": «"»30"}', "wrong_type", '"age" begins as a string, which was not asked for'),
    (PERSON, '{"name": "Al", "age": «30.5»}', "wrong_type", '"age" is a number where an integer was asked for'),
    (PERSON, '{"name": "Al", "age": «-3»}', "constraint", '"age" is -3, less than 0'),
    (PERSON, '{"name": "Al", «"j»ob": 1}', "extra_key", "No key that is asked for begins with j"),
    (PERSON, '{«"names»": "Al"}', "extra_key", "No key that is asked for begins with names"),
    (PERSON, '{"name": "Al", «"name"»: "Bo"}', "duplicate_key", 'The key "name" comes twice in one object'),
    (PERSON, '«{"name": "Al"}»', "missing_key", '"age" is missing'),
    (PERSON, "{«'»name': 1}", "single_quotes", "Unexpected ' where a key in double quotes or } should be"),
    (PERSON, "{«n»ame: 1}", "unquoted_key", "Unexpected n where a key in double quotes or } should be"),
    (PERSON, '{"name": "Al",«}»', "trailing_comma", "Unexpected } where another key in double quotes should be"),
    (PERSON, '{"name": "Al" «"»age": 1}', "missing_comma", 'Unexpected " where a comma or the closing bracket'),
    (PERSON, '{"name" «=» "Al"}', "other_syntax", "Unexpected = where a colon should be"),
    (PERSON, '{"name": "Al", «/»/ her', "comment", "Unexpected / where another key in double quotes should be"),
    (PERSON, '{"name": "Al«\n»', "control_char", "An unescaped line break inside a string"),
    (PERSON, '{"name": "Al«\\x»', "bad_escape", "\\x is not a valid JSON escape"),
    (PERSON, '{"name": "Al«\\u00g»', "bad_escape", "\\u00g is not a valid JSON escape"),
    ({}, '{"a": «01»}', "other_syntax", "01 is not a valid JSON number"),
    ({}, "[«-I»nfinity]", "other_syntax", "-I is not a valid JSON number"),
    ({}, "[1,«]»", "trailing_comma", "Unexpected ] where a value should be"),
    ({}, "[«T»rue]", "python_literal", "Unexpected T where a value should be"),
    ({}, "[«nulx»]", "other_syntax", "Unexpected nulx where a value should be"),
    (STATUS, '{"status": «"cle»ar"}', "constraint", '"status" begins with cle, as none of the strings asked for does'),
    (STATUS, '{"status": «"open»ed"}', "constraint", '"status" begins with opene'),
    (STATUS, '{"status": «"op"»', "constraint", '"status" is "op" where "open", "closed" or null was asked for'),
    (TOOLS, '{"tool": "search", "query": «7»}', "wrong_type", '"query" begins as a number'),
    (TOOLS, '{"tool": «"n»ews"}', "constraint", '"tool" begins with n'),
    (TOOLS, '«{"tool": "weather", "city": "Oslo"}»', "missing_key", '"days" is missing'),
    (ORDER, '{"items": [{}, {"id": 1, «"x»": 1}]}', "extra_key", "No key that is asked for begins with x"),
    (ORDER, '{"items": [{"id": «0»}', "constraint", "/items/0/id is 0, less than 1"),
    (ORDER, '{"items": [{"sku": «"B"»', "constraint", '/items/0/sku is "B", which does not match'),
    (ORDER, '{"items": [{}, {}, «{»', "constraint", "Nothing is asked for at /items/2"),
    (ORDER, '{"items": [], "then": «{}»', "missing_key", '"items" is missing'),
]


@pytest.mark.parametrize(("schema", "marked", "failure", "sentence"), EARLY)
def test_a_break_is_seen_at_its_first_character(
    schema: dict[str, Any], marked: str, failure: str, sentence: str
) -> None:
    text, start, end = unmarked(marked)
    seen = stream(schema, text)
    assert seen is not None
    pushed, found = seen
    assert (found.failure, found.start) == (failure, start)
    assert found.sentence.startswith(sentence)
    after_number = (
        found.failure in ("wrong_type", "constraint") and text[start:end].lstrip("-").replace(".", "").isdigit()
    )
    if not (text[start] == '"' and found.end - found.start > end - start):
        assert found.end == end
    assert pushed <= end + (2 if after_number or found.end > end else 1)
    assert not Judge(schema).judge(text, "stop", None).ok
    assert stream(schema, text, len(text)) == (len(text), found)


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("before", ["</think>", "Hm. {</thi</think>", "<think>\n[1]</think>\n"])
def test_thinking_is_left_alone(size: int, before: str) -> None:
    def seen(text: str) -> int | None:
        live = LiveChecker(SchemaPrefixes(PERSON), "</think>")
        found = (live.push(text[at : at + size]) for at in range(0, len(text), size))
        return next((each.start for each in found if each is not None), None)

    assert seen(before + GOOD) is None
    assert Judge(PERSON).judge(blank_thoughts(before + GOOD, "</think>"), "stop", None).ok
    assert seen(f"{before}So: {GOOD}") == len(before)
    assert seen("No tag: {") is None


@pytest.mark.parametrize("draft", [None, DRAFT_7])
def test_faults_of_shape_are_no_false_alarms(draft: str | None) -> None:
    """Of each fault the judge knows, the repaired neighbours: a reply that is ok under its schema is not flagged."""
    for schema, *_ in FAULTS:
        dialect = {"$schema": draft, **schema} if draft else schema
        for text in ("{}", "[]", "null", "1", '"x"', '{"a": {"b": 1}}', "[1, 2]", '{"tool": "search", "query": "x"}'):
            if Judge(dialect).judge(text, "stop", None).ok:
                assert stream(dialect, text) is None


keys = st.sampled_from(["a", "b", "id"])
scalars = st.sampled_from([0, 1, -1.5, 1.0, "", "a", "ab", True, False, None])
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(keys, v, max_size=3), max_leaves=6)
TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"]
leaf_schemas: st.SearchStrategy[Any] = st.one_of(
    st.booleans(),
    st.builds(
        lambda t: {"type": t}, st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), min_size=1, unique=True)
    ),
    st.builds(lambda v: {"enum": v}, st.lists(scalars, min_size=1, max_size=3)),
    st.builds(lambda v: {"const": v}, values),
    st.sampled_from([{"minimum": 0}, {"maxLength": 1}, {"maxItems": 1}, {"minItems": 1}, {"$ref": "#"}]),
    st.just({"$ref": "#/$defs/d"}),
)


def _grown(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members = st.dictionaries(keys, below, max_size=3)
    parts = {
        "type": st.sampled_from(TYPES),
        "properties": members,
        "additionalProperties": below,
        "patternProperties": st.builds(lambda s: {"^a": s}, below),
        "required": st.lists(keys, max_size=2, unique=True),
        "items": below,
        "prefixItems": st.lists(below, min_size=1, max_size=2),
        "anyOf": st.lists(below, min_size=1, max_size=3),
        "oneOf": st.lists(below, min_size=1, max_size=3),
        "allOf": st.lists(below, min_size=1, max_size=2),
        "not": below,
        "$ref": st.sampled_from(["#", "#/$defs/d"]),
    }
    return st.fixed_dictionaries({}, optional=parts)


some_schemas = st.recursive(leaf_schemas, _grown, max_leaves=8).filter(lambda schema: isinstance(schema, dict))
drafts = st.sampled_from(
    ["https://json-schema.org/draft/2020-12/schema", DRAFT_7, "http://json-schema.org/draft-04/schema#"]
)


@settings(max_examples=60)
@given(some_schemas, leaf_schemas, drafts, values, st.integers(1, 9), st.sampled_from([None, 1]))
def test_what_can_become_ok_is_never_flagged(
    schema: Any, definition: Any, draft: str, value: Any, size: int, indent: int | None
) -> None:
    whole = {**schema, "$schema": draft, "$defs": {"d": definition}}
    assume(not schema_faults(whole))
    text = json.dumps(value, indent=indent)
    if Judge(whole).judge(text, "stop", None).ok:
        assert stream(whole, text, size) is None


@given(dumped(persons))
def test_ok_replies_as_they_are_written(written: tuple[Any, str]) -> None:
    value, text = written
    schema = {"type": "object", "properties": {"name": {"const": value["name"]}, "tags": {"items": False}}}
    assert Judge(schema).judge(text, "stop", value).ok
    assert stream(schema, f" \r\n{text}\t") is None


@given(damaged() | jsonish | st.text(), st.text(max_size=8), st.sampled_from([PERSON, ORDER, {}]))
def test_what_is_flagged_never_becomes_ok(text: str, more: str, schema: dict[str, Any]) -> None:
    seen = stream(schema, text)
    if seen is None:
        return
    pushed, found = seen
    assert 0 <= found.start <= found.end <= pushed
    assert found.sentence.isprintable()
    for reply in (text[:pushed], text[:pushed] + more, text[:pushed] + '"}', text):
        assert not Judge(schema).judge(reply, "stop", None).ok


@given(damaged() | jsonish)
def test_every_syntax_error_is_seen_before_its_value_is_closed(text: str) -> None:
    """Without a schema only syntax counts: what is not flagged is the beginning of JSON, or is JSON."""
    if stream({}, text) is None:
        verdict = Judge({}).judge(text, "length", None)
        assert verdict.ok or verdict.classes[0] in ("truncated", "empty", "other_syntax")
        assert verdict.ok or not verdict.unwrapped


@pytest.mark.parametrize(
    "text",
    ['{"a": "' + "x" * 1_000_000, "[" * 50_000, "1" * 4_000, "[" * 20_000 + "1," * 20_000, '{"a": "' + "\\n" * 50_000],
)
def test_long_replies_take_time_linear_in_their_length(text: str) -> None:
    live = LiveChecker(SchemaPrefixes({}))
    assert all(live.push(text[at : at + 7]) is None for at in range(0, len(text), 7))
