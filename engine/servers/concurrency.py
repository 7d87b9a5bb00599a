"""How many requests a server has at once: a number that was asked for, or one that follows the server's answers.

Like TCP's slow start and its congestion avoidance: twice as many after each round in which the server got faster by
it; a step back, and no further, when it did not; half as many when it refused a request or fell silent, and from then
on a few more after each round. A round is as many answers as requests are allowed at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

FIRST, MOST = 16, 512  # requests: both arms of 8 jobs, of 256 jobs
_FASTER = 1.1
_STEP = 2  # requests: one job


class ConcurrencyLimiter:
    """Use it in one event loop. limit: how many requests at once now."""

    def __init__(self, fixed: int | None = None, most: int = MOST) -> None:
        """fixed: so many requests, whatever the server says. most: never more than these."""
        self.limit = min(fixed or FIRST, most)
        self._most, self._adapting = most, fixed is None
        self._growth: Literal["doubling", "settled", "creeping"] = "doubling"
        self._flying = 0
        self._freed = asyncio.Condition()
        self._halved = 0.0
        self._best = 0.0  # characters a second
        self._began, self._answers, self._characters, self._full = time.monotonic(), 0, 0, False

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Meanwhile a request may be on its way."""
        async with self._freed:
            await self._freed.wait_for(lambda: self._flying < self.limit)
            self._flying += 1
        self._full |= self._flying >= self.limit
        try:
            yield
        finally:
            self._flying -= 1
            async with self._freed:
                self._freed.notify_all()

    def answered(self, characters: int) -> None:
        """A reply came, so long."""
        self._answers, self._characters = self._answers + 1, self._characters + characters
        if self._adapting and self._answers >= self.limit:
            if self._full:  # else there was not enough to do to tell
                self._end_round()
            self._begin_round()

    def crowded(self, began: float) -> None:
        """A request was refused, or not answered in time. began: when it was sent, by time.monotonic."""
        if not self._adapting or began < self._halved:  # it was sent before there were fewer
            return
        self.limit, self._halved = max(1, self.limit // 2), time.monotonic()
        self._growth = "creeping"
        self._begin_round()

    def _end_round(self) -> None:
        speed = self._characters / max(1e-6, time.monotonic() - self._began)
        if self._growth == "creeping":
            self.limit = min(self._most, self.limit + _STEP)
        elif self._growth == "doubling" and speed > self._best * _FASTER:
            self._best = speed
            self._growth = "doubling" if self.limit < self._most else "settled"
            self.limit = min(self._most, self.limit * 2)
        elif self._growth == "doubling":
            self.limit, self._growth = max(1, self.limit // 2), "settled"

    def _begin_round(self) -> None:
        self._began, self._answers, self._characters, self._full = time.monotonic(), 0, 0, False
