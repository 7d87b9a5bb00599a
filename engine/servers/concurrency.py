"""How many requests a server has at once: a fixed number, or one that adapts to how the server responds.

It works like TCP's slow start and congestion avoidance, in rounds of as many replies as requests are allowed at once:
the limit doubles after each round in which the server got faster by it, and goes back one step, for good, when it did
not. It halves when the server refuses a request or goes silent, and from then on grows by one job a round.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

INITIAL, MAXIMUM = 16, 512  # requests: both arms of 8 jobs, of 256 jobs
_FASTER = 1.1
_STEP = 2  # requests: one job


class ConcurrencyLimiter:
    """Use it in one event loop."""

    limit: int
    """How many requests are allowed at once now."""

    def __init__(self, fixed: int | None = None, maximum: int = MAXIMUM) -> None:
        """fixed: the limit, however the server responds; None to adapt it."""
        self.limit = min(fixed or INITIAL, maximum)
        self._maximum, self._adapting = maximum, fixed is None
        self._growth: Literal["doubling", "settled", "creeping"] = "doubling"
        self._in_flight = 0
        self._freed = asyncio.Condition()
        self._halved_at = 0.0
        self._best_speed = 0.0  # characters a second
        self._started, self._replies, self._characters, self._was_full = time.monotonic(), 0, 0, False

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait until another request may be sent, and count it as in flight inside the block."""
        async with self._freed:
            await self._freed.wait_for(lambda: self._in_flight < self.limit)
            self._in_flight += 1
        self._was_full |= self._in_flight >= self.limit
        try:
            yield
        finally:
            self._in_flight -= 1
            async with self._freed:
                self._freed.notify_all()

    def replied(self, characters: int) -> None:
        """A reply of this length is complete."""
        self._replies, self._characters = self._replies + 1, self._characters + characters
        if self._adapting and self._replies >= self.limit:
            # A round in which the limit was never reached says nothing about whether a higher one would be faster.
            if self._was_full:
                self._end_round()
            self._start_round()

    def overloaded(self, sent_at: float) -> None:
        """A request was refused or not answered in time. sent_at: when it was sent, by time.monotonic."""
        # Requests that were in flight together fail together. Only the first of them halves the limit: the others were
        # sent before that, so they say nothing about the lower limit.
        if not self._adapting or sent_at < self._halved_at:
            return
        self.limit, self._halved_at = max(1, self.limit // 2), time.monotonic()
        self._growth = "creeping"
        self._start_round()

    def _end_round(self) -> None:
        speed = self._characters / max(1e-6, time.monotonic() - self._started)
        if self._growth == "creeping":
            self.limit = min(self._maximum, self.limit + _STEP)
        elif self._growth == "doubling" and speed > self._best_speed * _FASTER:
            self._best_speed = speed
            self._growth = "doubling" if self.limit < self._maximum else "settled"
            self.limit = min(self._maximum, self.limit * 2)
        elif self._growth == "doubling":
            self.limit, self._growth = max(1, self.limit // 2), "settled"

    def _start_round(self) -> None:
        self._started, self._replies, self._characters, self._was_full = time.monotonic(), 0, 0, False
