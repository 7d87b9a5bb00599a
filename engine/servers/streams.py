"""A streamed reply, piece by piece: its text, its tokens and how it ended."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.records import UNKNOWN_ID, Candidate
from engine.servers.failures import BrokenReplyError

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletionChunk
    from openai.types.chat.chat_completion_token_logprob import ChatCompletionTokenLogprob

_REMOVED = -9000.0
"""vLLM says -9999 of a token that the grammar removed: JSON has no minus infinity."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A token as the server tells of it: what was taken, then the other favourites."""

    taken: Candidate
    others: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one chunk of a stream brings. thoughts: text that the server keeps apart from the reply."""

    text: str = ""
    thoughts: str = ""
    tokens: tuple[Weighed, ...] = ()
    finish: str | None = None


@dataclass(slots=True)
class PartialReply:
    """A reply so far, from the prefill on, which ends at `start`. ends: of each token, where its text ends.

    thinking: the last that came of it were thoughts. thought: the server has kept some apart.
    """

    text: str
    start: int
    tokens: list[Weighed] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    finish: str | None = None
    seconds: float = 0.0
    thinking: bool = False
    thought: bool = False

    def add(self, piece: Chunk) -> None:
        """One more piece."""
        start = len(self.text)
        self.text += piece.text
        self.finish = piece.finish or self.finish
        self.thought |= bool(piece.thoughts)
        self.tokens += piece.tokens
        self.ends += _ends(piece, start)

    @property
    def last(self) -> Weighed | None:
        """The token that ended the reply, where the server tells of it: the last one, which added no text."""
        if self.finish != "stop" or not self.tokens:
            return None
        before = self.ends[-2] if len(self.ends) > 1 else self.start
        return self.tokens[-1] if self.ends[-1] == before else None

    @property
    def body(self) -> Sequence[Weighed]:
        """The tokens without the one that ended the reply."""
        return self.tokens[:-1] if self.last is not None else self.tokens


def _ends(piece: Chunk, start: int) -> list[int]:
    """Where the texts of a piece's tokens end. A token that is part of a character has no text of its own."""
    ends, end, left = [], start, piece.text
    for number, token in enumerate(piece.tokens, 1):
        text = token.taken.token
        taken = len(left) if number == len(piece.tokens) else len(text) if left.startswith(text) else 0
        end, left = end + taken, left[taken:]
        ends.append(end)
    return ends


async def pieces(client: AsyncOpenAI, body: dict[str, Any]) -> AsyncGenerator[Chunk, None]:
    """Ask, and give the reply as it comes. Raises one of troubles.FAILURES; the last piece has a finish."""
    model, messages = body["model"], body["messages"]
    extra = {key: value for key, value in body.items() if key not in ("model", "messages")}
    stream = await client.chat.completions.create(model=model, messages=messages, stream=True, extra_body=extra)
    finished = False
    async with stream:
        async for chunk in stream:
            piece = _piece(chunk)
            finished |= piece.finish is not None
            yield piece
    if not finished:
        raise BrokenReplyError


def _piece(chunk: ChatCompletionChunk) -> Chunk:
    if not chunk.choices:
        return Chunk()  # the count of tokens, which some send at the end
    choice = chunk.choices[0]
    extra = choice.delta.model_extra or {} if choice.delta else {}
    thoughts = extra.get("reasoning") or extra.get("reasoning_content") or ""
    entries = (choice.logprobs.content if choice.logprobs else None) or []
    ids = (choice.model_extra or {}).get("token_ids") or []
    known = ids if len(ids) == len(entries) else [UNKNOWN_ID] * len(entries)
    tokens = tuple(_weighed(entry, id) for entry, id in zip(entries, known, strict=True))
    return Chunk((choice.delta.content if choice.delta else None) or "", str(thoughts), tokens, choice.finish_reason)


def _weighed(entry: ChatCompletionTokenLogprob, id: int) -> Weighed:
    others = tuple(
        Candidate(other.token, UNKNOWN_ID, math.exp(other.logprob))
        for other in entry.top_logprobs or []
        if other.token != entry.token and other.logprob > _REMOVED
    )
    return Weighed(Candidate(entry.token, id, math.exp(min(0.0, entry.logprob))), others)
