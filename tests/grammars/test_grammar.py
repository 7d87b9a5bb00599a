"""The grammar, by either library: what it allows, what it refuses, and the defects it must not have."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch

from engine.backends import GrammarError
from engine.decoding.masks import MaskTable
from engine.grammars.grammar import Grammar
from engine.grammars.llguidance_grammar import LlguidanceGrammar, Tokens
from engine.grammars.vocabulary import token_bytes
from engine.models.model import LoadedModel
from tests.helpers.byte_grammars import BYTES, STOP, accepts, by_llguidance, by_outlines, random_reply

Build = Callable[[dict[str, Any]], Grammar]
both = pytest.mark.parametrize("build", [by_outlines, by_llguidance])


PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@both
@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ('{"name": "Zoë 日本 🙂", "age": 30}', True),
        ('{\n  "name": "Al",\n  "age": 3\n}', True),
        ('{"name":"","age":0}', True),
        ('{"name": "Al", "age": "3"}', False),
        ('{"name": "Al", "age": 3,}', False),
        ('{"name": "Al"}', False),
        ('{"age": 3, "name": "Al"}', False),
        ('{"name": "Al", "age": 3} ', False),
        (' {"name": "Al", "age": 3}', False),
        ('{ "name" : "Al" , "age" : 3 }', True),
        ('{"name":  "Al", "age": 3}', False),
        ('{\n        "name": "Al", "age": 3}', True),
        ('{\n         "name": "Al", "age": 3}', False),
        ('{\n\n"name": "Al", "age": 3}', False),
        ('{"name": "\x7f\x1f", "age": 3}', False),
        ('{"name": "\\ud800", "age": 3}', False),
        ("", False),
    ],
)
def test_a_schema_allows_its_replies_and_no_others(build: Build, text: str, accepted: bool) -> None:
    """Both libraries take the same whitespace, which is WHITESPACE at every gap and nowhere else."""
    assert accepts(build(PERSON), text) is accepted


@both
@pytest.mark.parametrize("text", ["1", "1.5", "-12e+3", "0.25"])
def test_a_number_alone_may_go_on_after_its_first_digit(build: Build, text: str) -> None:
    """outlines_core 0.2.14 stops at the first accepting prefix unless the expression stands between sentinels."""
    assert accepts(build({"type": "number"}), text)


@both
def test_a_string_with_a_length_compiles_at_once(build: Build) -> None:
    """Without the sentinels outlines_core takes over a minute for it; the test's time-out would end it."""
    grammar = build({"type": "string", "maxLength": 20})
    assert accepts(grammar, json.dumps("x" * 20))
    assert not accepts(grammar, json.dumps("x" * 21))


@both
def test_a_prefill_moves_the_start(build: Build) -> None:
    grammar = build(PERSON)
    state = grammar.start('{"name": "Zoë"')
    assert ord(",") in grammar.allowed(state)
    assert STOP not in grammar.allowed(state)
    with pytest.raises(GrammarError, match="begins with 'Sure'"):
        grammar.start("Sure")


@pytest.mark.parametrize(
    ("build", "schema", "said"),
    [
        (by_outlines, {"not": {"type": "string"}}, "outlines_core cannot be trusted with 'not' at /not: "),
        (
            by_outlines,
            {"type": "string", "format": "ipv4"},
            "outlines_core cannot be trusted with 'format' at /format: ",
        ),
        (by_outlines, {"type": "string", "format": "\x1b[31mred", "pattern": "\x1b["}, "'pattern' at /pattern"),
        (by_llguidance, {"items": [{"not": {}}], "$defs": {}}, "llguidance cannot compile the schema: "),
        (by_llguidance, {"properties": {"a/b": {"not": {}}}}, "it does not implement 'not' at /properties/a~1b/not.$"),
        (by_llguidance, {"type": "string", "pattern": "(?=\x1b)b"}, "regex parse error"),
        (by_llguidance, {"$ref": "#"}, "allows no reply"),
        (by_llguidance, {"not": {}, "x-guidance": {"lenient": True}}, "it does not implement 'not' at /not.$"),
    ],
)
def test_what_has_no_grammar_is_one_sentence(build: Build, schema: dict[str, Any], said: str) -> None:
    """The reason quotes the schema, which may hold anything, and goes to the terminal."""
    with pytest.raises(GrammarError, match=said) as caught:
        build(schema)
    assert str(caught.value).isprintable()


@both
def test_an_unknown_format_is_no_reason_to_go_without(build: Build) -> None:
    grammar = build({"type": "object", "properties": {"tel": {"type": "string", "format": "phone"}}})
    assert [(item.keyword, item.pointer) for item in grammar.unenforced] == [("format", "/properties/tel/format")]
    assert grammar.unenforced[0].sentence == (
        "The grammar does not enforce 'format' at /properties/tel/format: "
        "it is left out, because the judge does not know the format 'phone' either."
    )
    assert accepts(grammar, '{"tel": "12"}')


@both
def test_states_are_values(build: Build) -> None:
    """Both arms of two samples may go on from one state, in any order."""
    grammar = build({"enum": ["ab", "ac", "d"]})
    start = grammar.start()
    after = grammar.advance(start, ord('"'))
    first, second = grammar.advance(after, ord("a")), grammar.advance(after, ord("d"))
    assert sorted(grammar.allowed(after)) == sorted(b"ad")
    assert grammar.advance(after, ord("x")) is None
    assert (sorted(grammar.allowed(first)), grammar.allowed(second)) == (sorted(b"bc"), [ord('"')])
    assert grammar.allowed(start) == [ord('"')]
    ended = grammar.advance(grammar.advance(second, ord('"')), STOP)
    assert ended is not None


@both
def test_equal_mask_keys_mean_equal_masks(build: Build) -> None:
    allowed: dict[Any, list[int]] = {}
    for schema in (PERSON, {"type": "string"}, {"type": "array", "items": {"type": "string"}}):
        grammar = build(schema)
        for text in ('{"name": "abc", "age": 12}', '"abc"', '["abc", "d"]'):
            state = grammar.start()
            for byte in text.encode():
                assert allowed.setdefault(grammar.mask_key(state), grammar.allowed(state)) == grammar.allowed(state)
                if (state := grammar.advance(state, byte)) is None:
                    break


@both
def test_several_stop_tokens_and_tokens_of_the_same_text(build: Callable[..., Grammar]) -> None:
    vocabulary = BYTES | {b"1": [ord("1"), 400], b"12": [401]}
    stops = [STOP, 402]
    grammar = build({"enum": [1, 12]}, *([vocabulary, stops] if build is by_outlines else [Tokens(vocabulary, stops)]))
    assert sorted(grammar.allowed(grammar.start())) == [ord("1"), 400, 401]
    after = grammar.advance(grammar.start(), 400)
    assert sorted(grammar.allowed(after)) == [ord("2"), STOP, 402]
    assert grammar.advance(after, 402) is not None


def test_nothing_is_forced_by_llguidance() -> None:
    """By default it allows but the first token of its own tokenization where one text only is possible."""
    vocabulary = BYTES | {b'{"': [400], b'{"na': [401], b"name": [402]}
    grammar = LlguidanceGrammar(PERSON, Tokens(vocabulary, [STOP]))
    assert {ord("{"), 400, 401} <= set(grammar.allowed(grammar.start()))


def test_where_llguidance_gives_up_is_an_error_and_not_an_end_of_the_reply() -> None:
    """Its mask would allow to stop there, in the middle of the reply."""
    rows = [{"type": "array", "prefixItems": [{"type": "array", "items": {"const": n}}]} for n in range(900)]
    grammar = by_llguidance({"type": "object", "properties": {"a": {"anyOf": rows}}, "required": ["a"]})
    with pytest.raises(GrammarError, match="llguidance gave up on the schema: Parser Error: Current row has"):
        accepts(grammar, '{"a":[[')


@pytest.mark.model
@both
def test_no_special_token_and_no_half_character_in_a_string(
    build: Callable[..., Grammar], builtin_model: LoadedModel
) -> None:
    """Random walks through a string's states give valid UTF-8 JSON, and meet no special token."""
    vocabulary = token_bytes(builtin_model.tokenizer)
    written = {token: text for text, tokens in vocabulary.items() for token in tokens}
    stop_ids = builtin_model.stop_ids
    schema = {"type": "string", "maxLength": 12}
    grammar = build(schema, *([vocabulary, stop_ids] if build is by_outlines else [Tokens(vocabulary, stop_ids)]))
    chance = random.Random(7)
    for _ in range(30):
        reply = random_reply(grammar, written, stop_ids, chance)  # a token that is no text would be a KeyError
        assert reply is not None
        assert isinstance(json.loads(reply.decode("utf-8")), str)


@pytest.mark.model
def test_token_bytes_spell_what_the_tokenizer_decodes(builtin_model: LoadedModel) -> None:
    written = {token: text for text, tokens in token_bytes(builtin_model.tokenizer).items() for token in tokens}
    for text in ('{"name": "Zoë", "age": 30}\n', "日本語 🙂 naïve\ttab"):
        tokens = builtin_model.tokenizer(text, add_special_tokens=False)["input_ids"]
        assert b"".join(written[token] for token in tokens) == text.encode()


@both
def test_masks_are_what_the_grammar_allows(build: Build) -> None:
    grammar = build(PERSON)
    masks = MaskTable(STOP + 1, torch.device("cpu"), [STOP])
    states = [grammar.start()]
    for byte in b'{"name": "abc", "age": 12}':
        states.append(grammar.advance(states[-1], byte))
    for state, mask in zip(states, masks.gather([(grammar, state) for state in states]), strict=True):
        assert mask.nonzero().flatten().tolist() == sorted(grammar.allowed(state))
