"""Over any schema that is accepted, a reply that ended is JSON and satisfies every keyword not listed as unenforced.

Some are tried every time, thousands for a release.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from engine.backends import GrammarError
from engine.grammars.grammar import Grammar
from engine.judging.validator import build_validator
from tests.helpers.byte_grammars import STOP, WRITTEN, by_llguidance, by_outlines, random_reply, without

REPLIES = 8  # of each grammar

NAMES = st.sampled_from(["a", "b", "c", "name", 'quo"te', "é", "x/y", "t~t", "\n", "", "\\"])
PLAIN = (
    "^[a-c]{1,3}$",
    "^(?:ab|cd)+$",
    "^\\w-\\d$",
    "^a{2}\\.$",
    "^$",
    "^é$",
    "^(a|(b|c))$",
    "^[\\w.]+$",
    "\\d+",
    "x",
    "",
)
HOSTILE = (
    "^a|b$",
    "ab|cd",
    "^[^a]$",
    "^.{2}$",
    "^\\W$",
    "^[A-z]$",
    '^"$',
    "^\\\\$",
    "^\\s$",
    "^[a-c&&b]$",
    "^[^\\w]$",
    "^a\\$",
)
PATTERNS = st.sampled_from([*PLAIN, *HOSTILE])
KNOWN = ("date", "date-time", "time", "uuid", "email", "uri", "ipv4", "ipv6", "hostname", "duration")
UNKNOWN = ("regex", "phone", "unknown", "uri-reference", "json-pointer", "idn-email", "color")
FORMATS = st.sampled_from([*KNOWN, *UNKNOWN])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 300) | st.sampled_from([0.5, -1e30, 2**70, "x", 'q"', "é\n", "\x7f"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
SMALL = st.integers(0, 3)
BOUNDS = st.integers(-20, 20) | st.sampled_from([0.5, -1.25, 1e3, 1e-7, 2**53 + 1, 10**19, -1e300])


def keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some keywords of each kind, with values that mean something."""
    named = st.dictionaries(NAMES, inner, max_size=3)
    about_numbers = dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), BOUNDS)
    about_numbers["multipleOf"] = st.sampled_from([1, 2, 0.5, 0.01, 3])
    about_strings = {"minLength": SMALL, "maxLength": SMALL, "pattern": PATTERNS, "format": FORMATS}
    about_arrays = {"items": inner, "prefixItems": st.lists(inner, min_size=1, max_size=2), "minItems": SMALL}
    about_arrays |= {"maxItems": SMALL, "uniqueItems": st.booleans(), "contains": inner}
    about_objects = {"properties": named, "required": st.lists(NAMES, unique=True, max_size=2), "minProperties": SMALL}
    about_objects |= {"additionalProperties": inner | st.booleans(), "maxProperties": SMALL, "propertyNames": inner}
    about_objects |= {"patternProperties": st.dictionaries(PATTERNS, inner, max_size=1)}
    about_objects |= {"dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, unique=True, max_size=1), max_size=1)}
    branches = st.lists(inner, min_size=1, max_size=3)
    about_any = {"enum": st.lists(VALUES, max_size=3), "const": VALUES, "anyOf": branches, "oneOf": branches}
    about_any |= {"allOf": branches, "not": inner, "if": inner, "then": inner, "title": st.just("t")}
    about_any |= {"$ref": st.sampled_from(["#/$defs/one", "#/$defs/two", "#"])}

    def some(typed: str | None, of: dict[str, st.SearchStrategy[Any]], most: int) -> st.SearchStrategy[dict[str, Any]]:
        chosen = st.lists(st.sampled_from(sorted(of)), max_size=most, unique=True).flatmap(
            lambda names: st.fixed_dictionaries({name: of[name] for name in names})
        )
        return chosen.map(lambda given: ({"type": typed} if typed else {}) | given)

    return st.one_of(
        some("number", about_numbers, 2),
        some("integer", about_numbers, 2),
        some("string", about_strings, 2),
        some("array", about_arrays, 3),
        some("object", about_objects, 3),
        some(None, {"properties": named, "required": about_objects["required"]}, 2),
        some(None, about_any, 1),
        some(None, {**about_any, **about_objects, **about_arrays, **about_strings, "type": TYPES}, 3),
    )


TYPES = st.sampled_from(["null", "boolean", "string", "integer", ["string", "null"], ["object", "array"], ["number"]])
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([{"type": "null"}, {"type": "boolean"}, {"type": "integer"}, {"type": "string"}, {}, True]),
    keywords,
    max_leaves=6,
)
ROOTS = st.builds(
    lambda root, one, two: {**root, "$defs": {"one": one, "two": two}}, keywords(SCHEMAS), SCHEMAS, SCHEMAS
)


def reject(constant: str) -> Any:
    raise ValueError(constant)


@pytest.mark.parametrize("examples", [60, pytest.param(3000, marks=[pytest.mark.release, pytest.mark.timeout(1800)])])
@pytest.mark.parametrize("build", [by_outlines, by_llguidance])
def test_a_reply_that_ended_is_json_and_satisfies_what_is_enforced(
    build: Callable[[Mapping[str, Any]], Grammar], examples: int, capsys: pytest.CaptureFixture[str]
) -> None:
    counts: Counter[str] = Counter()

    @settings(max_examples=examples, derandomize=True, database=None)
    @given(ROOTS, st.integers(0, 1 << 30))
    def check(schema: dict[str, Any], seed: int) -> None:
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError:
            assume(False)
        counts["schemas"] += 1
        try:
            grammar = build(schema)
        except GrammarError:
            return
        counts["accepted"] += 1
        validator = build_validator(without(schema, grammar.unenforced))
        chance = random.Random(seed)
        for _ in range(REPLIES):
            reply = random_reply(grammar, WRITTEN, [STOP], chance)
            counts["replies"] += 1
            if reply is None:
                continue
            counts["ended"] += 1
            value = json.loads(reply.decode("utf-8"), parse_constant=reject)
            errors = [f"{error.json_path}: {list(error.schema_path)}" for error in validator.iter_errors(value)]
            assert not errors, f"{reply!r} under {json.dumps(schema)}: {errors}"

    check()
    with capsys.disabled():
        print(f"\n{build.__name__}: " + ", ".join(f"{count} {what}" for what, count in counts.items()), file=sys.stderr)
    assert counts["accepted"] > examples / 8
    assert counts["ended"] > counts["replies"] / 2
