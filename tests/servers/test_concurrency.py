"""How many requests a server gets at once."""

from __future__ import annotations

import asyncio

import pytest

from engine.servers.concurrency import INITIAL, MAXIMUM, ConcurrencyLimiter


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("engine.servers.concurrency.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def play_round(limiter: ConcurrencyLimiter, clock: Clock, seconds: float) -> None:
    """As many answers of 100 characters as are allowed at once, all together."""
    limit, started = limiter.limit, asyncio.Event()

    async def ask() -> None:
        async with limiter.slot():
            await started.wait()
        limiter.replied(100)

    requests = [asyncio.create_task(ask()) for _ in range(limit)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    clock.now += seconds
    started.set()
    await asyncio.gather(*requests)


async def test_the_limit_doubles_while_the_server_gets_faster_then_takes_one_step_back(clock: Clock) -> None:
    limiter = ConcurrencyLimiter()
    limits = [limiter.limit]
    for seconds in (1, 1, 2, 2, 2):  # from 32 requests on, twice as many take twice as long
        await play_round(limiter, clock, seconds)
        limits.append(limiter.limit)
    assert limits == [INITIAL, 32, 64, 32, 32, 32]


async def test_the_limit_has_a_maximum(clock: Clock) -> None:
    limiter = ConcurrencyLimiter()
    for _ in range(10):
        await play_round(limiter, clock, 1)
    assert limiter.limit == MAXIMUM


async def test_the_limit_halves_after_a_refusal_then_grows_by_one_job_a_round(clock: Clock) -> None:
    limiter = ConcurrencyLimiter()
    for _ in range(2):
        await play_round(limiter, clock, 1)
    sent_at = clock.now
    clock.now += 1
    for _ in range(20):  # requests that were in flight together count once
        limiter.overloaded(sent_at)
    assert limiter.limit == 32
    await play_round(limiter, clock, 5)
    assert limiter.limit == 34
    clock.now += 1
    for _ in range(10):
        clock.now += 1
        limiter.overloaded(clock.now)
    assert limiter.limit == 1


async def test_a_fixed_limit_stays(clock: Clock) -> None:
    limiter = ConcurrencyLimiter(fixed=6)
    await play_round(limiter, clock, 1)
    limiter.overloaded(clock.now)
    assert limiter.limit == 6


async def test_a_round_that_never_reached_the_limit_changes_nothing(clock: Clock) -> None:
    limiter = ConcurrencyLimiter()
    for _ in range(40):
        async with limiter.slot():
            clock.now += 0.01
        limiter.replied(100)
    assert limiter.limit == INITIAL
