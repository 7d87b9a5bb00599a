"""A streamed reply, chunk by chunk: its text, its tokens and how it ended."""

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

_MASKED_OUT = -9000.0  # vLLM reports -9999 for a token that the grammar removed: JSON has no minus infinity


@dataclass(frozen=True, slots=True)
class ReportedToken:
    """A token as the server reports it, with its most probable alternatives."""

    taken: Candidate
    others: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one event of a stream adds to a reply."""

    text: str = ""
    thoughts: str = ""
    """Text that the server separates from the reply."""
    tokens: tuple[ReportedToken, ...] = ()
    finish: str | None = None
    """Why the reply has ended; None while it has not."""


@dataclass(slots=True)
class PartialReply:
    """A reply so far."""

    text: str
    """Begins with the prefill."""
    start: int
    """Where the prefill ends, in characters."""
    tokens: list[ReportedToken] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """Where the text of each token ends."""
    finish: str | None = None
    seconds: float = 0.0
    thinking: bool = False
    """Whether the last chunk brought thoughts."""
    thought: bool = False
    """Whether any chunk brought thoughts."""

    def add(self, chunk: Chunk) -> None:
        """Append a chunk."""
        start = len(self.text)
        self.text += chunk.text
        self.finish = chunk.finish or self.finish
        self.thought |= bool(chunk.thoughts)
        self.tokens += chunk.tokens
        self.ends += _ends(chunk, start)

    @property
    def stop_token(self) -> ReportedToken | None:
        """The token that ended the reply, if the server reports it: the last one, which added no text."""
        if self.finish != "stop" or not self.tokens:
            return None
        before = self.ends[-2] if len(self.ends) > 1 else self.start
        return self.tokens[-1] if self.ends[-1] == before else None

    @property
    def content_tokens(self) -> Sequence[ReportedToken]:
        """The tokens without the one that ended the reply."""
        return self.tokens[:-1] if self.stop_token is not None else self.tokens


def _ends(chunk: Chunk, start: int) -> list[int]:
    """Where the texts of a chunk's tokens end."""
    # A token can hold part of a character, which servers report as "" or as replacement characters. Such a text is not
    # found in the chunk's; it then counts as empty, and the last token of the chunk ends where the chunk ends.
    ends, end, left = [], start, chunk.text
    for number, token in enumerate(chunk.tokens, 1):
        text = token.taken.token
        taken = len(left) if number == len(chunk.tokens) else len(text) if left.startswith(text) else 0
        end, left = end + taken, left[taken:]
        ends.append(end)
    return ends


async def stream_chunks(client: AsyncOpenAI, body: dict[str, Any]) -> AsyncGenerator[Chunk, None]:
    """Send a request and yield the reply as it arrives. Raises one of FAILURES, also if no chunk has a finish."""
    model, messages = body["model"], body["messages"]
    extra = {key: value for key, value in body.items() if key not in ("model", "messages")}
    stream = await client.chat.completions.create(model=model, messages=messages, stream=True, extra_body=extra)
    finished = False
    async with stream:
        async for event in stream:
            chunk = _chunk(event)
            finished |= chunk.finish is not None
            yield chunk
    if not finished:
        raise BrokenReplyError


def _chunk(event: ChatCompletionChunk) -> Chunk:
    if not event.choices:
        return Chunk()  # the token counts that some servers send at the end
    choice = event.choices[0]
    extra = choice.delta.model_extra or {} if choice.delta else {}
    thoughts = extra.get("reasoning") or extra.get("reasoning_content") or ""
    entries = (choice.logprobs.content if choice.logprobs else None) or []
    ids = (choice.model_extra or {}).get("token_ids") or []
    known = ids if len(ids) == len(entries) else [UNKNOWN_ID] * len(entries)
    tokens = tuple(_token(entry, id) for entry, id in zip(entries, known, strict=True))
    return Chunk((choice.delta.content if choice.delta else None) or "", str(thoughts), tokens, choice.finish_reason)


def _token(entry: ChatCompletionTokenLogprob, id: int) -> ReportedToken:
    others = tuple(
        Candidate(other.token, UNKNOWN_ID, math.exp(other.logprob))
        for other in entry.top_logprobs or []
        if other.token != entry.token and other.logprob > _MASKED_OUT
    )
    return ReportedToken(Candidate(entry.token, id, math.exp(min(0.0, entry.logprob))), others)
