"""Grammars over single bytes: quick to build, and a reply is accepted byte for byte; random replies of any grammar."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.backends import Unenforced
from engine.grammars.grammar import Grammar
from engine.grammars.llguidance_grammar import LlguidanceGrammar, Tokens
from engine.grammars.llguidance_lint import lint_for_llguidance
from engine.grammars.outlines_grammar import OutlinesGrammar, build_grammar
from engine.grammars.outlines_lint import ORDER, lint_for_outlines

STOP = 300
BYTES = {bytes([byte]): [byte] for byte in range(256)}
WRITTEN = {token: text for text, (token,) in BYTES.items()}
TOKENS = Tokens(BYTES, [STOP])
_CLOSERS = (b'"', b"}", b"]", b",", b'"}', b'"]')


def by_outlines(
    schema: Mapping[str, Any], vocabulary: Mapping[bytes, Sequence[int]] = BYTES, stop_ids: Sequence[int] = (STOP,)
) -> OutlinesGrammar:
    """What compiling makes with outlines_core, in this process."""
    found = lint_for_outlines(schema)
    found.raise_first("outlines_core")
    grammar = build_grammar(found.schema_for_the_library(schema), vocabulary, stop_ids)
    grammar.unenforced = tuple(found.unenforced)
    return grammar


def by_llguidance(schema: Mapping[str, Any], tokens: Tokens = TOKENS) -> LlguidanceGrammar:
    """What compiling makes with llguidance, in this process."""
    found = lint_for_llguidance(schema)
    found.raise_first("llguidance")
    return LlguidanceGrammar(found.schema_for_the_library(schema), tokens, tuple(found.unenforced))


def accepts(grammar: Grammar, text: str) -> bool:
    """Whether the reply may be exactly this text."""
    state = grammar.start()
    for byte in text.encode():
        state = grammar.advance(state, byte)
        if state is None:
            return False
    return STOP in grammar.allowed(state)


def without(schema: Mapping[str, Any], unenforced: Iterable[Unenforced]) -> dict[str, Any]:
    """The schema without the keywords that are listed. Of a oneOf stays that one of its branches has to fit."""
    left: dict[str, Any] = json.loads(json.dumps(schema))
    for item in sorted(unenforced, key=lambda item: -item.pointer.count("/")):  # the innermost first
        *steps, keyword = (step.replace("~1", "/").replace("~0", "~") for step in item.pointer.split("/")[1:])
        place: Any = left
        try:
            for step in steps:
                place = place[int(step)] if isinstance(place, list) else place[step]
            value = place.pop(keyword)
        except (KeyError, IndexError):
            continue  # it stood below another that is listed
        if keyword == "oneOf" and next(key for key in ORDER if key in {**place, "oneOf": 0}) == "oneOf":
            place["anyOf"] = value
    return left


def random_reply(
    grammar: Grammar, written: Mapping[int, bytes], stop_ids: Sequence[int], chance: random.Random, most: int = 300
) -> bytes | None:
    """A reply of random tokens, or None if it did not end within `most` of them.

    Strings and lists of any length would go on for ever, so the longer the reply, the more often it stops where it may
    and closes what is open.
    """
    state, reply = grammar.start(), b""
    for count in range(most):
        allowed = grammar.allowed(state)
        assert allowed, f"nothing may follow {reply!r}"
        haste = chance.random() < 0.2 + count / 60
        stops = [token for token in stop_ids if token in allowed]
        if stops and haste:
            assert grammar.advance(state, stops[0]) is not None
            return reply
        going_on = [token for token in allowed if token not in stop_ids]
        closing = [token for token in going_on if written[token] in _CLOSERS] if haste else []
        token = chance.choice(closing or going_on or allowed)
        if token in stop_ids:
            return reply
        state = grammar.advance(state, token)
        assert state is not None
        reply += written[token]
    return None
