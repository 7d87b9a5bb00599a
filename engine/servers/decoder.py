"""Decodes the jobs of a run on a server: many at once, both arms of a job together, with retries."""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import aclosing
from typing import TypeAlias

from typing_extensions import override

from engine.backends import ArmsForked, Decoder, DecoderEvent, Finished, RequestQueue, Started, TokenAdded
from engine.errors import EngineError
from engine.records import Arm
from engine.servers.client import LoopThread
from engine.servers.concurrency import ConcurrencyLimiter
from engine.servers.failures import RequestFailure, delay
from engine.servers.forks import Weighing
from engine.servers.in_flight import JobInFlight, JobRequest
from engine.servers.retries import RequestFailedError, RetryingClient

_Event: TypeAlias = Started | TokenAdded | ArmsForked | Finished

_STEP_SECONDS = 0.05  # how long a step waits for events
_KEPT = "What was finished is kept; --resume finishes the rest."


class ServerDecoder(Decoder):
    """Sends requests in the order in which they were submitted.

    Jobs start only in `step`, so that none starts while the run is paused; in-flight requests keep streaming.
    """

    def __init__(
        self, loop: LoopThread, client: RetryingClient, limiter: ConcurrencyLimiter, weighing: Weighing
    ) -> None:
        self._loop, self._client, self._limiter, self._weighing = loop, client, limiter, weighing
        self._waiting: RequestQueue[JobRequest] = RequestQueue()
        self._in_flight: dict[str, Future[None]] = {}
        # Requests run in the loop's thread, `step` in the run's. Events cross over here, and exceptions with them:
        # raised in the loop's thread they would be lost.
        self._events: queue.SimpleQueue[_Event | Exception] = queue.SimpleQueue()

    @property
    @override
    def busy(self) -> bool:
        return bool(self._waiting or self._in_flight)

    @property
    @override
    def in_flight(self) -> int:
        return len(self._in_flight)

    def submit(self, request: JobRequest) -> None:
        """Append a request to the queue."""
        self._waiting.append(request)

    @override
    def prefer(self, id: str) -> None:
        self._waiting.prefer(id)

    @override
    def cancel(self, id: str) -> bool:
        if self._waiting.cancel(id):
            return True
        future = self._in_flight.pop(id, None)
        return future is not None and (future.cancel() or True)

    @override
    def close(self) -> None:
        self._waiting.clear()
        for id in list(self._in_flight):
            self.cancel(id)  # closes its connections, which has the server stop decoding

    @override
    def step(self) -> Iterator[DecoderEvent]:
        # A job is two requests. At least one job is in flight even where the limit is one request: its arms then take
        # turns.
        while self._waiting and (not self._in_flight or 2 * len(self._in_flight) + 2 <= self._limiter.limit):
            request = self._waiting.popleft()
            self._in_flight[request.id] = self._loop.start(self._run_job(request))
        for event in self._new_events():
            if isinstance(event, Exception):
                raise event
            if event.id in self._in_flight:  # else it was cancelled
                if isinstance(event, Finished):
                    del self._in_flight[event.id]
                yield event

    def _new_events(self) -> Iterator[_Event | Exception]:
        """What has happened since the last step; waits a moment if nothing has."""
        try:
            yield self._events.get(timeout=_STEP_SECONDS)
            for _ in range(self._events.qsize()):
                yield self._events.get_nowait()
        except queue.Empty:
            return

    async def _run_job(self, request: JobRequest) -> None:
        try:
            self._events.put(await self._decode_arms(request))
        except asyncio.CancelledError:
            raise
        except Exception as error:  # any: `step` raises it in the run's thread
            self._events.put(error)

    async def _decode_arms(self, request: JobRequest) -> Finished:
        self._events.put(Started(request.id))
        job = JobInFlight(request, self._weighing)
        try:
            async with asyncio.TaskGroup() as arms:
                for arm in request.bodies:
                    arms.create_task(self._decode_arm(job, arm))
        except* EngineError as group:
            raise group.exceptions[0] from None
        return job.result()

    async def _decode_arm(self, job: JobInFlight, arm: Arm) -> None:
        """Decode an arm, in as many attempts as the policy allows. Raises EngineError if no retry would help."""
        policy, previous_failure = self._client.policy, 0.0
        for attempt in range(1, policy.attempts + 1):
            sent_at = time.monotonic()
            try:
                async with self._limiter.slot():
                    sent_at = time.monotonic()
                    await self._attempt(job, arm)
                return
            except RequestFailedError as error:
                failure = error.failure
            if failure.overloaded:
                self._limiter.overloaded(sent_at)
            if not failure.retryable or attempt == policy.attempts:
                break
            previous_failure = time.monotonic()
            await asyncio.sleep(delay(attempt, failure.retry_after, policy.backoff))
        self._give_up(job, arm, failure, previous_failure, attempt)

    async def _attempt(self, job: JobInFlight, arm: Arm) -> None:
        self._emit(job.start_arm(arm))
        async with aclosing(self._client.stream(job.request.bodies[arm])) as chunks:
            async for chunk in chunks:
                self._emit(job.add(arm, chunk))
        job.finish_arm(arm)
        self._limiter.replied(len(job.arms[arm].text))

    def _give_up(
        self, job: JobInFlight, arm: Arm, failure: RequestFailure, previous_failure: float, attempts: int
    ) -> None:
        """Record the failure as an error of this arm. Raises EngineError if it concerns all jobs."""
        if failure.unauthorized:
            raise EngineError(f"The server no longer accepts the key: {failure.words}. {_KEPT}")
        # One request can fail to connect for reasons of its own. The server is gone when no request, of any job, has
        # heard from it between the last two attempts of this one.
        if failure.unreachable and self._client.last_heard < previous_failure:
            raise EngineError(f"The server is gone: in {attempts} attempts {failure.words}. {_KEPT}")
        job.fail_arm(arm, f"{failure.words}, at the last of {attempts} attempts" if attempts > 1 else failure.words)

    def _emit(self, events: Iterator[_Event]) -> None:
        for event in events:
            self._events.put(event)
