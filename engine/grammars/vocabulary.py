"""The bytes that each token of a tokenizer writes.

A grammar needs the bytes, not the printed form: a token may be half of a UTF-8 character, and special tokens write
nothing that belongs in a reply.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from transformers import PreTrainedTokenizerBase

_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class VocabularyError(Exception):
    """The tokenizer's tokens cannot be turned into bytes. The message is one sentence."""


def token_bytes(tokenizer: PreTrainedTokenizerBase) -> dict[bytes, list[int]]:
    """All ordinary tokens by the bytes they write; added and special tokens are left out.

    Supports the two kinds in use: byte-level BPE (GPT-2's table of printable substitutes) and SentencePiece with byte
    fallback (`▁` for a blank, `<0x0A>` for a byte).
    """
    decoders = _decoder_types(_decoder(tokenizer))
    skipped = set(tokenizer.get_added_vocab().values()) | set(tokenizer.all_special_ids)
    if "ByteLevel" in decoders:
        spell = _byte_level_speller()
    elif "ByteFallback" in decoders:
        spell = _sentencepiece_bytes
    else:
        raise VocabularyError("The tokenizer is neither byte-level BPE nor SentencePiece with byte fallback.")
    vocabulary: dict[bytes, list[int]] = {}
    for token, token_id in tokenizer.get_vocab().items():
        if token_id in skipped:
            continue
        try:
            vocabulary.setdefault(spell(token), []).append(token_id)
        except KeyError:
            continue  # no text can contain this token: it is never allowed
    return vocabulary


def _decoder(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any] | None:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise VocabularyError("The model has no fast tokenizer, which the constrained arm needs.")
    if backend.decoder is None:
        return None
    # The decoder's pickle is JSON; the whole tokenizer as JSON is 20 MB and takes seconds.
    spec: dict[str, Any] = json.loads(backend.decoder.__getstate__())
    return spec


def _decoder_types(decoder: dict[str, Any] | None) -> set[str]:
    if decoder is None:
        return set()
    return {decoder["type"]} | {kind for part in decoder.get("decoders", ()) for kind in _decoder_types(part)}


def _byte_level_speller() -> Callable[[str], bytes]:
    """From GPT-2's bytes-to-unicode table, reversed (openai/gpt-2, encoder.py)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}
    return lambda token: bytes(table[char] for char in token)


def _sentencepiece_bytes(token: str) -> bytes:
    byte = _BYTE_TOKEN.fullmatch(token)
    return bytes([int(byte[1], 16)]) if byte else token.replace("▁", " ").encode()
