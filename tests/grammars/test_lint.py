"""What each library is refused, with keyword and place, and what is listed as not enforced.

A defect of outlines_core is shown by giving it the schema all the same: it makes something that is not JSON (which the
proof over its index finds), or JSON of another structure (a text that it accepts and the schema does not).
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from engine.backends import GrammarError
from engine.grammars.json_automaton import not_json, step
from engine.grammars.llguidance_lint import lint_for_llguidance
from engine.grammars.outlines_grammar import build_grammar
from engine.grammars.outlines_lint import lint_for_outlines
from engine.grammars.patterns import with_ascii_classes
from engine.judging.validator import build_validator
from tests.helpers.byte_grammars import BYTES, STOP, WRITTEN, accepts, by_llguidance, by_outlines, random_reply, without

FIVE_DEEP = {
    "$ref": "#/$defs/d1",
    "$defs": {
        **{
            f"d{n}": {
                "type": "object",
                "properties": {"n": {"type": "null"}, "v": {"$ref": f"#/$defs/d{n + 1}"}},
                "required": ["n", "v"],
            }
            for n in range(1, 5)
        },
        "d5": {"type": "null"},
    },
}
TREE = {"type": "object", "properties": {"v": {"type": "null"}, "left": {"$ref": "#"}}, "required": ["v"]}


@pytest.mark.parametrize(
    ("schema", "keyword", "pointer"),
    [
        (FIVE_DEEP, "$ref", "/$defs/d4/properties/v/$ref"),
        ({"type": "string", "pattern": "^ab|cd$"}, "pattern", "/pattern"),
        ({"type": "string", "pattern": "^[^a]$"}, "pattern", "/pattern"),
        ({"type": "string", "pattern": "^a.$"}, "pattern", "/pattern"),
        ({"type": "string", "pattern": "^[A-z]$"}, "pattern", "/pattern"),
        ({"type": "string", "pattern": "^\\s$"}, "pattern", "/pattern"),
        ({"type": "string", "pattern": '^"$'}, "pattern", "/pattern"),
        ({"properties": {'a"b': {"type": "null"}}}, 'a"b', '/properties/a"b'),
        ({"properties": {"a/b": {"type": "string", "format": "time"}}}, "format", "/properties/a~1b/format"),
        ({"type": "string", "format": "email"}, "format", "/format"),
        ({"allOf": [{"type": "null"}, {"type": "null"}]}, "allOf", "/allOf"),
        ({"properties": {"a": {}}}, "a", "/properties/a"),
        ({"prefixItems": [{"type": "null"}, {}]}, "prefixItems", "/prefixItems/1"),
        ({"type": "object", "additionalProperties": {}}, "additionalProperties", "/additionalProperties"),
        ({"enum": []}, "enum", "/enum"),
    ],
)
def test_what_outlines_would_make_no_json_of(schema: dict[str, Any], keyword: str, pointer: str) -> None:
    defects = lint_for_outlines(schema).defects
    assert (keyword, pointer) in [(defect.keyword, defect.pointer) for defect in defects]
    with pytest.raises(GrammarError, match="allows a reply that is not JSON, for instance"):
        build_grammar(schema, BYTES, [STOP])


@pytest.mark.parametrize(
    ("schema", "pointer", "reply"),
    [
        ({"type": "string", "pattern": '^\\\\"$'}, "/pattern", '"\\""'),  # means a backslash and a quote
        ({"type": "string", "pattern": "^\\\\n$"}, "/pattern", '"\\n"'),  # means a backslash and an n
        (
            {"$ref": "#foo", "foo": {"type": "null"}, "$defs": {"x": {"$anchor": "foo", "type": "string"}}},
            "/$ref",
            "null",
        ),
        ({"type": "array", "minItems": 2, "maxItems": 0}, "/minItems", "[]"),
        ({"enum": [2**70 + 1]}, "/enum", "1.1805916207174113e+21"),
        (TREE, "/properties/left/$ref", None),
        ({"type": "string", "format": "uri"}, "/format", None),  # may hold quotes; seconds to show
        ({"type": "string", "pattern": "ab"}, "/pattern", None),  # means a text that has ab in it
        ({"type": "string", "pattern": "^a\\$"}, "/pattern", None),  # the `$` is cut off, and `\\"` is left
    ],
)
def test_what_outlines_would_make_something_else_of(schema: dict[str, Any], pointer: str, reply: str | None) -> None:
    assert pointer in [defect.pointer for defect in lint_for_outlines(schema).defects]
    if reply is not None:
        assert accepts(build_grammar(schema, BYTES, [STOP]), reply)
        assert not build_validator(schema).is_valid(json.loads(reply))


@pytest.mark.parametrize(
    ("schema", "reply"),
    [
        ({"$ref": "#/$defs/d1", **FIVE_DEEP}, None),
        (TREE, '{"v":null,"left":{"v":null,"left":{"v":null,"left":{"v":null,"left":{"v":null,"left":{"v":null}}}}}}'),
        ({"type": "string", "pattern": "^ab|cd$"}, '"abx"'),
        ({"type": "string", "pattern": "^[^a]$"}, '"\\""'),
        ({"type": "string", "pattern": "^a\\$"}, '"a$"'),
        ({"properties": {'a"b': {"type": "null"}}, "required": ['a"b']}, '{"a\\"b":null}'),
        ({"type": "string", "format": "time"}, '"12:00:00.5Z"'),
        ({"allOf": [{"minimum": 3}, {"type": "integer"}]}, "4"),
        ({"const": {'q"': [1, {}]}}, '{"q\\"":[1,{}]}'),
        ({"type": "object", "additionalProperties": {}}, '{"a":[1]}'),
    ],
)
def test_llguidance_has_none_of_these_defects(schema: dict[str, Any], reply: str | None) -> None:
    grammar = by_llguidance(schema)
    assert reply is None or accepts(grammar, reply)
    chance, validator = random.Random(3), build_validator(without(schema, grammar.unenforced))
    for _ in range(20):
        written = random_reply(grammar, WRITTEN, [STOP], chance)
        assert written is None or validator.is_valid(json.loads(written))


@pytest.mark.parametrize(
    ("schema", "pointers"),
    [
        ({"type": "integer", "minimum": 0, "maximum": 9, "multipleOf": 3}, ["/minimum", "/maximum", "/multipleOf"]),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 9}, ["/exclusiveMinimum", "/exclusiveMaximum"]),
        ({"type": "array", "uniqueItems": True, "contains": {"type": "null"}}, ["/uniqueItems", "/contains"]),
        ({"type": "array", "minItems": 2.0}, ["/minItems"]),
        ({"type": "object", "minProperties": 2, "maxProperties": 3}, ["/minProperties", "/maxProperties"]),
        ({"type": "object", "minProperties": 1}, []),
        ({"type": "object", "required": ["a"], "propertyNames": {"type": "string"}}, ["/required", "/propertyNames"]),
        ({"properties": {"a": {"type": "null"}}, "required": ["a"], "minProperties": 1, "maxProperties": 1}, []),
        (
            {"properties": {"a": {"type": "null"}}, "required": ["b"], "minProperties": 1},
            ["/required", "/minProperties"],
        ),
        ({"properties": {}, "type": ["object", "null"], "additionalProperties": {"type": "null"}}, []),
        (
            {"properties": {}, "dependentRequired": {}, "patternProperties": {}},
            ["/dependentRequired", "/patternProperties"],
        ),
        ({"properties": {}, "dependentSchemas": {}, "if": {}, "then": {}}, ["/dependentSchemas", "/if"]),
        ({"properties": {}, "not": {"required": ["x"]}}, ["/not"]),
        ({"properties": {}, "anyOf": [{"required": ["a"]}]}, ["/anyOf"]),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, ["/oneOf"]),
        ({"type": "string", "maxLength": 3, "pattern": "^a", "format": "date"}, ["/pattern", "/format"]),
        ({"type": "string", "pattern": "^a$", "format": "date"}, ["/format"]),
        ({"type": "string", "format": "date"}, ["/format"]),
        ({"type": "string", "format": "uuid"}, []),
        ({"prefixItems": [{"type": "null"}], "items": {"type": "null"}, "minItems": 2, "maxItems": 3}, ["/minItems"]),
        ({"enum": ["a", "b"], "type": "string", "maxLength": 1}, []),
        ({"enum": ["a", "bb", 3], "type": "string", "maxLength": 1}, ["/maxLength", "/type"]),
        (
            {"$ref": "#/$defs/a", "minimum": 3, "$defs": {"a": {"type": "integer", "maximum": 5}}},
            ["/minimum", "/$defs/a/maximum"],
        ),
        ({"type": "integer", "title": "t", "x-unknown": 3, "minLength": 3}, []),
    ],
)
def test_what_outlines_drops_is_listed(schema: dict[str, Any], pointers: list[str]) -> None:
    grammar = by_outlines(schema)
    assert sorted(item.pointer for item in grammar.unenforced) == sorted(pointers)
    assert all(
        item.pointer.endswith("/" + item.keyword) and item.pointer in item.sentence for item in grammar.unenforced
    )


@pytest.mark.parametrize(
    ("schema", "reply", "pointers"),
    [
        ({"type": "string", "format": "time"}, '"23:59:60Z"', ["/format"]),
        ({"type": "string", "format": "date"}, '"2023-02-29"', ["/format"]),
        ({"type": "object", "minProperties": 2}, '{"a":1,"a":1}', ["/minProperties"]),
        ({"const": 2**70}, "1180591620717411300000", ["/const"]),
        ({"type": "integer", "minimum": 2**53 + 1}, str(2**53), ["/minimum"]),
        ({"type": "string", "pattern": "^\\W$"}, '"é"', ["/pattern"]),
        ({"type": "string", "pattern": "^[a-c&&b]$"}, None, ["/pattern"]),
        ({"type": "integer", "minimum": 0, "multipleOf": 3}, None, []),
    ],
)
def test_what_llguidance_does_not_enforce_is_listed(
    schema: dict[str, Any], reply: str | None, pointers: list[str]
) -> None:
    found = lint_for_llguidance(schema)
    assert [item.pointer for item in found.unenforced] == pointers
    if reply is not None:
        assert accepts(by_llguidance(schema), reply)
        assert not build_validator(schema).is_valid(json.loads(reply))


def test_classes_are_those_that_all_dialects_agree_on() -> None:
    """In Rust \\w holds combining marks and \\d the digits of all scripts; in ECMA-262 neither does."""
    assert with_ascii_classes(r"^\d[\w.]\\d$") == r"^[0-9][A-Za-z0-9_.]\\d$"
    grammar = by_outlines({"type": "string", "pattern": "^\\w\\d$"})
    assert accepts(grammar, '"a1"')
    assert not accepts(grammar, '"\u0301\u0663"')
    assert not accepts(by_outlines({"type": "string", "format": "date"}), '"\u0662\u0660\u0662\u0663-01-01"')


def test_the_proof_reads_json_as_the_standard_library_does() -> None:
    """On texts one to three slips away from JSON."""
    chance = random.Random(1)
    texts = [b'{"a":[1,-0.5e+10,true,null],"b\\u00e9\\n":{}}', b'[[],{},"x",false,0]', b'[ {"a" : 1 , "b":[ ]}, -10E5]']
    outcomes = set()
    for _ in range(5000):
        text = bytearray(chance.choice(texts))
        for _ in range(chance.randrange(4)):
            place = chance.randrange(len(text))
            text[place : place + chance.randrange(2)] = bytes([chance.choice(b'{}[]",:\\tfnu0123-+.eE \n\x1f')])
        try:
            json.loads(text.decode(), parse_constant=float)
            outcome = True
        except ValueError:
            outcome = False
        transitions = {state: {byte: state + 1} for state, byte in enumerate([*text, 0])}
        assert (not_json(transitions, 0, 0) is None) is outcome, text
        outcomes.add(outcome)
    assert outcomes == {True, False}
    assert step(("value", ""), ord("]")) is None
