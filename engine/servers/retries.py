"""Requests to one server, with retries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from engine.servers.failures import FAILURES, RequestFailure, delay, failure_of
from engine.servers.spec import RetryPolicy
from engine.servers.streams import Chunk, PartialReply, stream_chunks

if TYPE_CHECKING:
    from openai import AsyncOpenAI


class RequestFailedError(Exception):
    """One attempt failed."""

    def __init__(self, failure: RequestFailure) -> None:
        super().__init__(failure.words)
        self.failure = failure


class RetryingClient:
    """What all requests to a server share."""

    last_heard: float
    """When the server last sent anything, by time.monotonic."""

    def __init__(self, client: AsyncOpenAI, key: str, policy: RetryPolicy) -> None:
        self.client, self._key, self.policy = client, key, policy
        self.last_heard = 0.0

    async def stream(self, body: dict[str, Any]) -> AsyncGenerator[Chunk, None]:
        """One attempt, as it arrives. Raises RequestFailedError."""
        async with aclosing(stream_chunks(self.client, body)) as chunks:
            while True:
                try:
                    # The limit is for each chunk: a long reply may take as long as it likes, a silent server may not.
                    async with asyncio.timeout(self.policy.silence):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
                except FAILURES as error:
                    raise RequestFailedError(failure_of(error, self._key)) from error
                self.last_heard = time.monotonic()
                yield chunk

    async def complete(
        self, body: dict[str, Any], attempts: int = 2, enough: Callable[[str], bool] = lambda text: False
    ) -> tuple[PartialReply | None, RequestFailure | None]:
        """A whole reply, or why there is none: for probes, which are shown to no one.

        enough: whether the text so far settles the question, so that the rest is not waited for.
        """
        for attempt in range(1, attempts + 1):
            reply = PartialReply("", 0)
            try:
                async with aclosing(self.stream(body)) as chunks:
                    async for chunk in chunks:
                        reply.add(chunk)
                        if enough(reply.text):
                            break
                return reply, None
            except RequestFailedError as error:
                failure = error.failure
            if not failure.retryable:
                break
            if attempt < attempts:
                await asyncio.sleep(delay(attempt, failure.retry_after, self.policy.backoff))
        return None, failure

    async def prompt_tokens(self, body: dict[str, Any]) -> int | RequestFailure | None:
        """How many tokens the prompt of a request has; None if the server does not report it."""
        extra = {key: value for key, value in body.items() if key not in ("model", "messages")}
        request = self.client.chat.completions.create(model=body["model"], messages=body["messages"], extra_body=extra)
        try:
            async with asyncio.timeout(self.policy.silence):
                usage = (await request).usage
        except FAILURES as error:
            return failure_of(error, self._key)
        return usage.prompt_tokens if usage is not None else None
