"""The jobs of a run on a server: many at once, both arms of a job together, each asked again where it fails."""

from __future__ import annotations

import asyncio
import queue
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import aclosing
from typing import TypeAlias

from engine.backends import ArmsForked, Finished, Started, TokenAdded
from engine.errors import EngineError
from engine.records import Arm
from engine.servers.client import LoopThread
from engine.servers.concurrency import ConcurrencyLimiter
from engine.servers.failures import RequestFailure, delay
from engine.servers.forks import Weighing
from engine.servers.in_flight import JobInFlight, Request
from engine.servers.retries import FailedError, RetryingClient

Told: TypeAlias = Started | TokenAdded | ArmsForked | Finished
_MOMENT = 0.05  # seconds that a step waits for something to happen


class ServerDecoder:
    """Sends requests in the order they were submitted. Call `step` until `busy` is false, then `close`.

    Jobs begin in `step` alone, so none begins while the run stands still; those on their way are heard out meanwhile.
    """

    def __init__(self, loop: LoopThread, asking: RetryingClient, pace: ConcurrencyLimiter, weighing: Weighing) -> None:
        self._loop, self._asking, self._pace, self._weighing = loop, asking, pace, weighing
        self._waiting: deque[Request] = deque()
        self._flying: dict[str, Future[None]] = {}
        self._told: queue.SimpleQueue[Told | Exception] = queue.SimpleQueue()

    @property
    def busy(self) -> bool:
        """Whether anything waits or runs."""
        return bool(self._waiting or self._flying)

    @property
    def in_flight(self) -> int:
        """Jobs that are on their way."""
        return len(self._flying)

    def submit(self, request: Request) -> None:
        """Put a request at the end of the queue."""
        self._waiting.append(request)

    def prefer(self, id: str) -> None:
        """Move a request that waits to the front of the queue."""
        for request in [request for request in self._waiting if request.id == id]:
            self._waiting.remove(request)
            self._waiting.appendleft(request)

    def cancel(self, id: str) -> bool:
        """Drop a request, whether it waits or runs; False if it does neither."""
        for request in [request for request in self._waiting if request.id == id]:
            self._waiting.remove(request)
            return True
        future = self._flying.pop(id, None)
        return future is not None and (future.cancel() or True)

    def close(self) -> None:
        """Drop all requests; connections of those that run are closed, which has servers stop decoding them."""
        self._waiting.clear()
        for id in list(self._flying):
            self.cancel(id)

    def step(self) -> Iterator[Told]:
        """Send waiting requests as far as the pace allows, and tell what has happened, for at most a moment.

        Raises EngineError where the server is gone, or no longer takes the key.
        """
        while self._waiting and (not self._flying or 2 * len(self._flying) + 2 <= self._pace.limit):
            request = self._waiting.popleft()
            self._flying[request.id] = self._loop.start(self._work(request))
        for told in self._heard():
            if isinstance(told, Exception):
                raise told
            if told.id in self._flying:  # else it was cancelled
                if isinstance(told, Finished):
                    del self._flying[told.id]
                yield told

    def _heard(self) -> Iterator[Told | Exception]:
        """What was told since the last time, or is within a moment."""
        try:
            yield self._told.get(timeout=_MOMENT)
            for _ in range(self._told.qsize()):
                yield self._told.get_nowait()
        except queue.Empty:
            return

    async def _work(self, request: Request) -> None:
        try:
            self._told.put(await self._both(request))
        except asyncio.CancelledError:
            raise
        except Exception as error:  # whatever it is, the run's thread is to know
            self._told.put(error)

    async def _both(self, request: Request) -> Finished:
        self._told.put(Started(request.id))
        twin = JobInFlight(request, self._weighing)
        try:
            async with asyncio.TaskGroup() as arms:
                for arm in request.bodies:
                    arms.create_task(self._arm(twin, arm))
        except* EngineError as group:
            raise group.exceptions[0] from None
        return twin.end()

    async def _arm(self, twin: JobInFlight, arm: Arm) -> None:
        """Decode an arm, in as many attempts as patience allows. Raises EngineError where none would help."""
        before = 0.0
        for attempt in range(1, self._asking.patience.attempts + 1):
            began = time.monotonic()
            try:
                async with self._pace.turn():
                    began = time.monotonic()
                    await self._attempt(twin, arm)
                return
            except FailedError as failed:
                trouble = failed.trouble
            if trouble.crowded:
                self._pace.crowded(began)
            if not trouble.again or attempt == self._asking.patience.attempts:
                break
            before = time.monotonic()
            await asyncio.sleep(delay(attempt, trouble.after, self._asking.patience.backoff))
        self._give_up(twin, arm, trouble, before, attempt)

    async def _attempt(self, twin: JobInFlight, arm: Arm) -> None:
        self._tell(twin.begin(arm))
        async with aclosing(self._asking.once(twin.request.bodies[arm])) as stream:
            async for piece in stream:
                self._tell(twin.grow(arm, piece))
        twin.check(arm)
        self._pace.answered(len(twin.arms[arm].text))

    def _give_up(self, twin: JobInFlight, arm: Arm, trouble: RequestFailure, since: float, attempts: int) -> None:
        """Record it as an error of this arm, unless the server is gone for all.

        since: when the attempt before the last failed; a server that nobody has heard since then is gone.
        """
        if trouble.refused:
            raise EngineError(f"The server no longer takes the key: {trouble.words}. {_KEPT}")
        if trouble.away and self._asking.heard < since:
            raise EngineError(f"The server is gone: in {attempts} attempts {trouble.words}. {_KEPT}")
        twin.fail(arm, f"{trouble.words}, at the last of {attempts} attempts" if attempts > 1 else trouble.words)

    def _tell(self, happenings: Iterator[Told]) -> None:
        for happening in happenings:
            self._told.put(happening)


_KEPT = "What was finished is kept; --resume finishes the rest."
