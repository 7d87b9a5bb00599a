"""Tokens to text, one at a time."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers.decoders import DecodeStream
from transformers import PreTrainedTokenizerBase


class TextStream:
    """The growing text of one arm. Half a UTF-8 character is withheld until the rest of it arrives.

    Special tokens are shown, not skipped: one in the middle of a reply is a break worth seeing.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._backend = tokenizer.backend_tokenizer
        self._stream = DecodeStream(skip_special_tokens=False)

    def push(self, token: int) -> str:
        """The text that is complete with this token; may be empty."""
        return self._stream.step(self._backend, token) or ""


def decode(tokenizer: PreTrainedTokenizerBase, tokens: Sequence[int]) -> str:
    """The whole text of a reply, as the tokenizer itself decodes it."""
    return str(tokenizer.decode(list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False))
