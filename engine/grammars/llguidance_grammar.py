"""A JSON Schema as a grammar over tokens, by llguidance. The only file that imports it.

llguidance parses while the reply is written (Earley's algorithm over lexemes that are regular expressions): a grammar
takes a millisecond, and each state's mask is computed on demand. It refuses what it does not implement. Two of its
features are turned off:

- forcing. Where only one text is possible it would allow only the first token of its own tokenization of that text;
- options in a schema's `x-guidance`, which could turn its checks off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from llguidance import LLMatcher, LLTokenizer
from typing_extensions import override

from engine.backends import GrammarError, Unenforced
from engine.grammars.grammar import WHITESPACE, Backend, Grammar
from engine.grammars.schema_walk import everywhere
from engine.json_pointer import pointer
from engine.text import printable

_OPTIONS = {"whitespace_pattern": WHITESPACE, "lenient": False, "coerce_one_of": False}


@dataclass(frozen=True, slots=True, eq=False)
class LlguidanceState:
    """One state of the parser."""

    matcher: LLMatcher
    """Only ever copied, never advanced."""
    mask: bytes
    """The tokens that it allows: one bit for each, the lowest bit first."""


class Tokens:
    """A vocabulary as llguidance reads it. Takes 0.1 s for 49k tokens, so one is shared by all grammars of a model.

    `size` is one more than the greatest id. The 256 tokens after it write one byte each: with them any prefilled text
    can be read, whatever the vocabulary contains; the model is never allowed to use them.
    """

    def __init__(self, vocabulary: Mapping[bytes, Sequence[int]], stop_ids: Sequence[int]) -> None:
        self.size = 1 + max(max(ids) for ids in [*vocabulary.values(), stop_ids])
        tokens = [b""] * self.size + [bytes([byte]) for byte in range(256)]
        for text, ids in vocabulary.items():
            for token in ids:
                tokens[token] = text
        for token in stop_ids:
            tokens[token] = b"<stop %d>" % token
        table = _Table(tokens, stop_ids[0], list(stop_ids), self.size)
        self.tokenizer = LLTokenizer(table, n_vocab=len(tokens), eos_token=list(stop_ids))  # type: ignore[arg-type]


@dataclass(slots=True)
class _Table:
    """What llguidance needs of a tokenizer (llguidance._tokenizer.TokenizerWrapper)."""

    tokens: list[bytes]
    eos_token_id: int
    special_token_ids: list[int]
    first_byte: int
    bos_token_id: None = None
    is_tokenizer_wrapper: bool = True

    def __call__(self, text: str | bytes) -> list[int]:
        return [self.first_byte + byte for byte in (text.encode() if isinstance(text, str) else text)]


class LlguidanceGrammar(Grammar):
    """A matcher for each state: copying one takes 2 µs, advancing it 2 µs."""

    backend: Backend = "llguidance"

    def __init__(self, schema: Mapping[str, Any], tokens: Tokens, unenforced: tuple[Unenforced, ...] = ()) -> None:
        """Compile the schema. Raises GrammarError if llguidance cannot express it."""
        self.unenforced = unenforced
        self._size = tokens.size
        options = {key: value for key, value in schema.items() if key != "x-guidance"} | {"x-guidance": _OPTIONS}
        grammar = f'%llguidance {{"no_forcing": true}}\nstart: %json {json.dumps(options)}'
        matcher = LLMatcher(tokens.tokenizer, LLMatcher.grammar_from_lark(grammar), log_level=0)
        if matcher.is_error():
            raise GrammarError(f"llguidance cannot compile the schema: {_reason(matcher, schema)}")
        matcher.compute_bitmask()
        if matcher.is_error() and "NoExtension" in matcher.get_error():
            raise GrammarError("The grammar of the schema allows no reply.")
        self._start = self._state(matcher)

    @override
    def start(self, prefill: str = "") -> LlguidanceState:
        if not prefill:
            return self._start
        matcher = self._start.matcher.deep_copy()
        text = [self._size + byte for byte in prefill.encode()]
        if matcher.try_consume_tokens(text) != len(text):
            raise GrammarError(f"The grammar of the schema does not allow a reply that begins with {prefill!r}.")
        return self._state(matcher)

    @override
    def advance(self, state: LlguidanceState, token: int) -> LlguidanceState | None:
        if not (token < self._size and state.mask[token >> 3] >> (token & 7) & 1):
            return None
        matcher = state.matcher.deep_copy()
        matcher.consume_token(token)
        return self._state(matcher)

    @override
    def allowed(self, state: LlguidanceState) -> list[int]:
        bits = np.unpackbits(np.frombuffer(state.mask, np.uint8), count=self._size, bitorder="little")
        tokens: list[int] = np.flatnonzero(bits).tolist()
        return tokens

    @override
    def mask_key(self, state: LlguidanceState) -> Hashable:
        return state.mask  # many states, of other grammars too, allow the same tokens

    def _state(self, matcher: LLMatcher) -> LlguidanceState:
        mask = matcher.compute_bitmask()
        if matcher.is_error():  # its mask would allow a stop token, in the middle of the reply
            raise GrammarError(f"llguidance gave up on the schema: {_reason(matcher, {})}")
        return LlguidanceState(matcher, mask)


def _reason(matcher: LLMatcher, schema: Mapping[str, Any]) -> str:
    """The matcher's error, without its position, which is one in the grammar around the schema."""
    message = matcher.get_error().split("\n   1 | ")[0].split("\n<state>")[0]
    message = " ".join(message.split("failed to compile JSON schema: ")[-1].split())
    if unimplemented := re.match(r'Unimplemented keys: \["([^"]+)"', message):
        place = next((path for path, part in everywhere(schema) if unimplemented[1] in part), ())
        message = f"it does not implement {unimplemented[1]!r} at {pointer((*place, unimplemented[1]))}"
    return printable(message[:300].rstrip(".")) + "."  # it quotes the schema, which may contain anything
