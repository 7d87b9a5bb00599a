"""Grammars over single bytes: quick to build, and a reply is accepted byte for byte."""

from __future__ import annotations

from engine.decoding.grammar import Grammar

STOP = 300
BYTES = {bytes([byte]): [byte] for byte in range(256)}


def accepts(grammar: Grammar, text: str) -> bool:
    """Whether the reply may be exactly this text."""
    state: int | None = grammar.start()
    for byte in text.encode():
        state = grammar.advance(state, byte)
        if state is None:
            return False
    return STOP in grammar.allowed(state)
