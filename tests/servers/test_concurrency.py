"""How many requests a server is given at once."""

from __future__ import annotations

import asyncio

import pytest

from engine.servers import concurrency
from engine.servers.concurrency import FIRST, MOST, ConcurrencyLimiter


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(concurrency.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def play_round(pace: ConcurrencyLimiter, clock: Clock, seconds: float) -> None:
    """As many answers of 100 characters as are allowed at once, all together."""
    limit, started = pace.limit, asyncio.Event()

    async def ask() -> None:
        async with pace.turn():
            await started.wait()
        pace.answered(100)

    asking = [asyncio.create_task(ask()) for _ in range(limit)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    clock.now += seconds
    started.set()
    await asyncio.gather(*asking)


async def test_twice_as_many_while_the_server_gets_faster_by_it_then_one_step_back(clock: Clock) -> None:
    pace = ConcurrencyLimiter()
    limits = [pace.limit]
    for seconds in (1, 1, 2, 2, 2):  # from 32 requests on, twice as many take twice as long
        await play_round(pace, clock, seconds)
        limits.append(pace.limit)
    assert limits == [FIRST, 32, 64, 32, 32, 32]


async def test_never_more_than_the_most(clock: Clock) -> None:
    pace = ConcurrencyLimiter()
    for _ in range(10):
        await play_round(pace, clock, 1)
    assert pace.limit == MOST


async def test_half_as_many_after_a_refusal_and_then_a_job_more_a_round(clock: Clock) -> None:
    pace = ConcurrencyLimiter()
    for _ in range(2):
        await play_round(pace, clock, 1)
    began = clock.now
    clock.now += 1
    for _ in range(20):  # all that were on their way together count once
        pace.crowded(began)
    assert pace.limit == 32
    await play_round(pace, clock, 5)
    assert pace.limit == 34
    clock.now += 1
    for _ in range(10):
        clock.now += 1
        pace.crowded(clock.now)
    assert pace.limit == 1


async def test_a_number_that_was_asked_for_stays(clock: Clock) -> None:
    pace = ConcurrencyLimiter(fixed=6)
    await play_round(pace, clock, 1)
    pace.crowded(clock.now)
    assert pace.limit == 6


async def test_too_few_answers_at_once_tell_nothing(clock: Clock) -> None:
    pace = ConcurrencyLimiter()
    for _ in range(40):
        async with pace.turn():
            clock.now += 0.01
        pace.answered(100)
    assert pace.limit == FIRST
