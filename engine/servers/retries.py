"""Requests to one server: asked again with patience where that may help."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from engine.servers.failures import FAILURES, RequestFailure, delay, trouble_of
from engine.servers.spec import Patience
from engine.servers.streams import Chunk, PartialReply, pieces

if TYPE_CHECKING:
    from openai import AsyncOpenAI


class FailedError(Exception):
    """One attempt that failed."""

    def __init__(self, trouble: RequestFailure) -> None:
        super().__init__(trouble.words)
        self.trouble = trouble


class RetryingClient:
    """What every request to a server shares. heard: when it last sent anything, by time.monotonic."""

    def __init__(self, client: AsyncOpenAI, key: str, patience: Patience) -> None:
        self.client, self._key, self.patience = client, key, patience
        self.heard = 0.0

    async def once(self, body: dict[str, Any]) -> AsyncGenerator[Chunk, None]:
        """One attempt, as it comes. Raises FailedError."""
        async with aclosing(pieces(self.client, body)) as stream:
            while True:
                try:
                    async with asyncio.timeout(self.patience.silence):
                        piece = await anext(stream)
                except StopAsyncIteration:
                    return
                except FAILURES as error:
                    raise FailedError(trouble_of(error, self._key)) from error
                self.heard = time.monotonic()
                yield piece

    async def whole(
        self, body: dict[str, Any], attempts: int = 2, enough: Callable[[str], bool] = lambda text: False
    ) -> tuple[PartialReply | None, RequestFailure | None]:
        """A whole reply, or why there is none: for questions that nobody waits to see stream.

        enough: of the text so far, whether the rest of it need not be waited for.
        """
        for attempt in range(1, attempts + 1):
            reply = PartialReply("", 0)
            try:
                async with aclosing(self.once(body)) as stream:
                    async for piece in stream:
                        reply.add(piece)
                        if enough(reply.text):
                            break
                return reply, None
            except FailedError as failed:
                trouble = failed.trouble
            if not trouble.again:
                break
            if attempt < attempts:
                await asyncio.sleep(delay(attempt, trouble.after, self.patience.backoff))
        return None, trouble

    async def prompt_tokens(self, body: dict[str, Any]) -> int | RequestFailure | None:
        """How many tokens the prompt of a request has; None where the server does not tell."""
        rest = {key: value for key, value in body.items() if key not in ("model", "messages")}
        asked = self.client.chat.completions.create(model=body["model"], messages=body["messages"], extra_body=rest)
        try:
            async with asyncio.timeout(self.patience.silence):
                usage = (await asked).usage
        except FAILURES as error:
            return trouble_of(error, self._key)
        return usage.prompt_tokens if usage is not None else None
