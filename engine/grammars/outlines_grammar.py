"""A JSON Schema as a grammar over tokens, by Outlines. The only file that imports outlines_core.

Outlines turns the schema into a regular expression and that into an index: state × token → state. Three things differ
from its own wrapper, because they decide whether the constrained arm can be trusted:

- the vocabulary consists of bytes and has no special tokens, so no half character or `<|im_end|>` gets into a string;
- the expression stands between two sentinels, `\\x01(?:…)\\x00`. The first keeps outlines_core 0.2.14 from building the
  unanchored automaton (exponential for some schemas) and from stopping at the first accepting prefix; the second is
  written by every stop token, so that ending the reply is a transition like any other;
- the finished index is proved to allow nothing but JSON, whatever outlines_lint.py may have missed.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from outlines_core import Index, Vocabulary
from outlines_core.json_schema import build_regex_from_schema
from typing_extensions import override

from engine.backends import GrammarError, Unenforced
from engine.grammars.grammar import WHITESPACE, Backend, Grammar
from engine.grammars.json_automaton import not_json
from engine.text import printable

_START, _STOP = b"\x01", b"\x00"
_UNICODE_YEAR, _YEAR = r'"(?:\d{4})-', r'"(?:[0-9]{4})-'  # in format date, where \d matches all digits of Unicode
_HEADER = struct.Struct("<QQ")  # start id, bytes of the index over tokens


class OutlinesGrammar(Grammar):
    """An index over tokens, whose states are numbers, and one over single bytes for prefilled text."""

    backend: Backend = "outlines_core"

    def __init__(self, index: Index, byte_index: Index, start_id: int, unenforced: tuple[Unenforced, ...] = ()) -> None:
        self.unenforced = unenforced
        self._index = index
        self._byte_index = byte_index
        self._start_id = start_id
        start = index.get_next_state(index.get_initial_state(), start_id)
        if start is None:
            raise GrammarError("The grammar of the schema allows no reply.")
        self._start: int = start

    def to_bytes(self) -> bytes:
        """The grammar as bytes, for the cache or another process."""
        tokens, single_bytes = (bytes(index.__reduce__()[1][0]) for index in (self._index, self._byte_index))
        return _HEADER.pack(self._start_id, len(tokens)) + tokens + single_bytes

    @classmethod
    def from_bytes(cls, data: bytes, unenforced: tuple[Unenforced, ...] = ()) -> OutlinesGrammar:
        """The inverse of `to_bytes`. Raises ValueError or struct.error for anything else."""
        start_id, length = _HEADER.unpack_from(data)
        indexes = data[_HEADER.size :]
        return cls(Index.from_binary(indexes[:length]), Index.from_binary(indexes[length:]), start_id, unenforced)

    @override
    def start(self, prefill: str = "") -> int:
        state: int | None = self._start
        for byte in prefill.encode():
            # The index over single bytes has the same state numbers as the one over tokens.
            state = self._byte_index.get_next_state(state, byte)
            if state is None:
                raise GrammarError(f"The grammar of the schema does not allow a reply that begins with {prefill!r}.")
        assert state is not None
        return state

    @override
    def advance(self, state: int, token: int) -> int | None:
        following: int | None = self._index.get_next_state(state, token)
        return following

    @override
    def allowed(self, state: int) -> list[int]:
        tokens: list[int] | None = self._index.get_allowed_tokens(state)
        # A negated class in a schema's `pattern` also matches the start sentinel, which is not a token of the model.
        return [token for token in tokens or () if token != self._start_id]

    @override
    def mask_key(self, state: int) -> Hashable:
        return self, state  # state numbers mean nothing in another index


def build_grammar(
    schema: Mapping[str, Any], vocabulary: Mapping[bytes, Sequence[int]], stop_ids: Sequence[int]
) -> OutlinesGrammar:
    """The grammar of a schema that outlines_lint.py has found no defect in and whose edits have been applied.

    `vocabulary` maps the bytes that a token writes to the ids of the tokens that write them. Takes a tenth of a second
    or, for some schemas, hours: see compiling.py for a time limit. Raises GrammarError if Outlines cannot express the
    schema, or if it allows a reply that is not JSON.
    """
    try:
        expression = build_regex_from_schema(json.dumps(schema), WHITESPACE).replace(_UNICODE_YEAR, _YEAR)
        regex = rf"\x01(?:{expression})\x00"
        byte_index = Index(regex, Vocabulary(256, {bytes([byte]): [byte] for byte in range(256)}))
        _prove_json(byte_index)
        start_id = 1 + max(max(ids) for ids in [*vocabulary.values(), stop_ids])
        tokens = {text: list(ids) for text, ids in vocabulary.items() if text not in (b"", _START, _STOP)}
        tokens |= {_START: [start_id], _STOP: list(stop_ids)}
        index = Index(regex, Vocabulary(start_id + 1, tokens))
    except GrammarError:
        raise
    except Exception as error:
        raise GrammarError(f"Outlines cannot compile the schema: {_one_line(error)}.") from error
    return OutlinesGrammar(index, byte_index, start_id)


def _prove_json(byte_index: Index) -> None:
    start = byte_index.get_next_state(byte_index.get_initial_state(), _START[0])
    if start is None:
        raise GrammarError("The grammar of the schema allows no reply.")
    reply = not_json(byte_index.get_transitions(), start, _STOP[0])
    if reply is not None:
        begins = printable(reply.decode("utf-8", "replace")[-100:])
        raise GrammarError(f"Outlines' grammar of the schema allows a reply that is not JSON, for instance {begins!r}.")


def _one_line(error: Exception) -> str:
    # It quotes the schema, which may contain anything, and goes to the terminal.
    return printable(" ".join(str(error).split())[:300].rstrip(".")) or type(error).__name__
