"""Who runs, without a model: the batch only notes what is done to its slots."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import torch
from typing_extensions import override

from engine.decoding.batch import Batch
from engine.decoding.prefix_cache import Tokens
from engine.decoding.scheduler import Scheduler
from engine.decoding.twins import ArmState, Request, Row, Twin
from engine.records import ARMS, Arm


class NotedBatch(Batch):
    prefilling = False

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.done: list[tuple[Any, ...]] = []

    @override
    def prefill(self, prompts: Sequence[Tokens], most: int, running: int) -> torch.Tensor:
        raise NotImplementedError

    @override
    def step(self, tokens: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        raise NotImplementedError

    @override
    def fork(self, source: int, target: int, length: int) -> None:
        self.done.append(("fork", source, target, length))

    @override
    def drop(self, slot: int, last: int, length: int) -> None:
        self.done.append(("drop", slot, last, length))


def start(request: Request) -> Twin:
    arms: dict[Arm, ArmState] = {arm: cast(ArmState, SimpleNamespace(generator=None, finish=None)) for arm in ARMS}
    return Twin(request, arms, 0, 0.0)


def scheduler(slots: int, requests: int) -> tuple[Scheduler, NotedBatch]:
    batch = NotedBatch(slots)
    made = Scheduler(batch, slots)
    made.waiting.extend(Request(str(number), [1] * (10 + number), "", number, None) for number in range(requests))
    return made, batch


def slots_of(scheduler: Scheduler) -> list[tuple[str, tuple[Arm, ...], int]]:
    assert [row.slot for row in scheduler.rows] == list(range(len(scheduler.rows)))
    return [(row.twin.request.id, row.arms, row.length) for row in scheduler.rows]


def agreed(scheduler: Scheduler, row: Row) -> None:
    scheduler.release(row)
    scheduler.finish(row.twin)


def test_at_first_a_slot_is_left_free_for_every_fork() -> None:
    made, _ = scheduler(8, 20)
    assert made.admissible == 4
    made.admit(4, start)
    assert made.admissible == 0
    assert slots_of(made) == [(str(number), ARMS, 10 + number) for number in range(4)]


def test_jobs_that_do_not_fork_leave_less_free() -> None:
    made, _ = scheduler(8, 100)
    for _ in range(40):
        (row,) = made.admit(1, start)
        agreed(made, row)
    assert made.admissible == 7


def test_the_last_row_moves_into_the_slot_that_is_released() -> None:
    made, batch = scheduler(8, 3)
    first, second, third = made.admit(3, start)
    made.release(first)
    assert batch.done == [("drop", 0, 2, 12)]
    assert [row.twin.request.id for row in made.rows] == ["2", "1"]
    assert (third.slot, second.slot) == (0, 1)
    made.release(second)
    assert batch.done[1:] == [("drop", 1, 1, 11)]
    assert slots_of(made) == [("2", ARMS, 12)]


def test_a_fork_is_copied_to_the_next_slot() -> None:
    made, batch = scheduler(4, 2)
    first, _ = made.admit(2, start)
    first.length += 5
    made.fork(first, "constrained", 7)
    assert batch.done == [("fork", 0, 2, 15)]
    assert slots_of(made)[2] == ("0", ("constrained",), 15)
    assert made.rows[2].token == 7


def test_a_fork_without_a_slot_waits_and_inherits_one_of_its_job_or_gets_the_next_free() -> None:
    made, batch = scheduler(2, 2)
    first, second = made.admit(2, start)
    made.fork(first, "constrained", 7)
    first.length += 3
    made.resume_forks()
    assert batch.done == [], "there is no slot"
    made.release(first)
    assert batch.done == [], "nothing is copied: the slot begins with what the arms share"
    assert slots_of(made) == [("0", ("constrained",), 10), ("1", ARMS, 11)]
    made.fork(second, "constrained", 8)
    made.release(made.rows[0])
    made.resume_forks()
    assert batch.done == [("drop", 0, 1, 11), ("fork", 0, 1, 11)]
    assert slots_of(made) == [("1", ARMS, 11), ("1", ("constrained",), 11)]


def test_cancelling_a_job_whose_fork_waits_leaves_nothing_of_it() -> None:
    made, batch = scheduler(2, 3)
    first, _ = made.admit(2, start)
    made.fork(first, "constrained", 7)
    assert made.cancel("0")
    assert batch.done == [("drop", 0, 1, 11)]
    made.resume_forks()
    assert slots_of(made) == [("1", ARMS, 11)]
    assert made.cancel("2"), "which waits"
    assert not made.cancel("2")
    made.close()
    assert not made.busy
    assert made.in_flight == 0


def test_more_forks_than_expected_admit_nothing_and_never_less() -> None:
    """A negative number of requests once went through as a slice from the other end, into slots that are none."""
    made, _ = scheduler(4, 100)
    for _ in range(60):
        (row,) = made.admit(1, start)
        agreed(made, row)
    rows = made.admit(4, start)
    for row in rows[:2]:
        made.record_fork()
        made.fork(row, "constrained", 7)
    assert made.free_slots == 0
    assert made.admissible == 0


def test_what_is_preempted_comes_first_again_in_half_as_many_rows() -> None:
    made, _ = scheduler(8, 6)
    made.admit(4, start)
    assert made.preempt_all() == 4
    made.batch = NotedBatch(made.max_rows)
    assert made.max_rows == 2
    assert [request.id for request in made.waiting] == ["0", "1", "2", "3", "4", "5"]
    assert (made.in_flight, made.rows, made.admissible) == (0, [], 1)
