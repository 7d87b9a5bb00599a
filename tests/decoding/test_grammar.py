"""The grammar: what it allows, what it refuses, and the defects of outlines_core it must not have."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import torch

from engine.decoding.grammar import Grammar, GrammarError
from engine.decoding.masks import MaskTable
from engine.decoding.model import LoadedModel
from engine.decoding.outlines_grammar import build_grammar
from engine.decoding.vocabulary import token_bytes
from tests.decoding.byte_grammars import BYTES, STOP, accepts


def grammar_of(schema: dict[str, Any]) -> Grammar:
    """A grammar over single bytes, with one stop token."""
    return build_grammar(schema, BYTES, [STOP])


PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


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
        ("", False),
    ],
)
def test_a_schema_allows_its_replies_and_no_others(text: str, accepted: bool) -> None:
    assert accepts(grammar_of(PERSON), text) is accepted


@pytest.mark.parametrize("text", ["1", "1.5", "-12e+3", "0.25"])
def test_a_number_alone_may_go_on_after_its_first_digit(text: str) -> None:
    """outlines_core 0.2.14 stops at the first accepting prefix unless the expression stands between sentinels."""
    assert accepts(grammar_of({"type": "number"}), text)


def test_a_string_with_a_length_compiles_at_once() -> None:
    """Without the sentinels maxLength 20 takes over a minute; the test's time-out would end it."""
    grammar = grammar_of({"type": "string", "maxLength": 20})
    assert accepts(grammar, json.dumps("x" * 20))
    assert not accepts(grammar, json.dumps("x" * 21))


def test_a_prefill_moves_the_start() -> None:
    grammar = grammar_of(PERSON)
    state = grammar.start('{"name": "Zoë"')
    assert ord(",") in grammar.allowed(state)
    assert STOP not in grammar.allowed(state)
    with pytest.raises(GrammarError, match="begins with 'Sure'"):
        grammar.start("Sure")


@pytest.mark.parametrize("schema", [{"not": {"type": "string"}}, {"type": "string", "format": "ipv4"}])
def test_what_outlines_cannot_compile_is_one_sentence(schema: dict[str, Any]) -> None:
    with pytest.raises(GrammarError, match=r"^Outlines cannot compile the schema: .+") as caught:
        grammar_of(schema)
    assert "\n" not in str(caught.value)


def test_a_schema_that_is_quoted_in_the_reason_cannot_reach_the_terminal() -> None:
    with pytest.raises(GrammarError, match="is not supported") as caught:
        build_grammar({"type": "string", "format": "\x1b[31mred"}, BYTES, [STOP])
    assert str(caught.value).isprintable()


@pytest.mark.model
def test_no_special_token_and_no_half_character_in_a_string(builtin_model: LoadedModel) -> None:
    """Random walks through a string's states give valid UTF-8 JSON, and meet no special token."""
    vocabulary = token_bytes(builtin_model.tokenizer)
    written = {token: text for text, tokens in vocabulary.items() for token in tokens}
    grammar = build_grammar({"type": "string", "maxLength": 12}, vocabulary, builtin_model.stop_ids)
    special = set(builtin_model.tokenizer.all_special_ids) - set(builtin_model.stop_ids)
    chance = random.Random(7)
    for _ in range(30):
        state, reply = grammar.start(), b""
        while True:
            allowed = grammar.allowed(state)
            assert allowed
            assert not special.intersection(allowed)
            token = chance.choice(allowed)
            if token in builtin_model.stop_ids:
                break
            reply += written[token]
            following = grammar.advance(state, token)
            assert following is not None
            state = following
        assert isinstance(json.loads(reply.decode("utf-8")), str)


@pytest.mark.model
def test_token_bytes_spell_what_the_tokenizer_decodes(builtin_model: LoadedModel) -> None:
    written = {token: text for text, tokens in token_bytes(builtin_model.tokenizer).items() for token in tokens}
    for text in ('{"name": "Zoë", "age": 30}\n', "日本語 🙂 naïve\ttab"):
        tokens = builtin_model.tokenizer(text, add_special_tokens=False)["input_ids"]
        assert b"".join(written[token] for token in tokens) == text.encode()


def test_mask_rows_are_filled_once_and_gathered() -> None:
    grammar = grammar_of(PERSON)
    masks = MaskTable(STOP + 1, torch.device("cpu"))
    states = [grammar.start()]
    for byte in b'{"name": "abc", "age": 12}':
        following = grammar.advance(states[-1], byte)
        assert following is not None
        states.append(following)
    rows = [masks.row_of(grammar, state) for state in states]
    assert rows == [masks.row_of(grammar, state) for state in states]
    for state, mask in zip(states, masks.gather(rows), strict=True):
        assert mask.nonzero().flatten().tolist() == sorted(grammar.allowed(state))
