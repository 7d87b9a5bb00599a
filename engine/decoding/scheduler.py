"""Which jobs hold rows of the batch, and in which slots: the waiting queue, admission, forks, preemption.

It moves rows between slots but never looks at a tensor, so it can be read and tested without a model.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import islice

from engine.backends import RequestQueue
from engine.decoding.batch import Batch
from engine.decoding.prefix_cache import Tokens
from engine.decoding.twins import Request, Row, Twin, WaitingFork
from engine.records import Arm

_LOOK_AHEAD = 64  # waiting prompts among which common prefixes are looked for


class Scheduler:
    """Admits requests in the order of the queue, as many at once as the batch has slots for."""

    batch: Batch
    rows: list[Row]
    """The running rows; rows[i] is in slot i, so that a forward pass always runs over slots 0..n-1."""
    max_rows: int
    """How many rows to plan for. Halved by each preemption."""

    def __init__(self, batch: Batch, max_rows: int) -> None:
        self.batch, self.max_rows = batch, max_rows
        self.rows = []
        self.waiting: RequestQueue[Request] = RequestQueue()
        self._twins: dict[str, Twin] = {}
        self._waiting_forks: deque[WaitingFork] = deque()
        self._forked = self._unforked = 0  # jobs so far that forked, and that finished without

    @property
    def busy(self) -> bool:
        """Whether any request waits or runs."""
        return bool(self.waiting or self.rows)

    @property
    def in_flight(self) -> int:
        """Jobs that hold a row."""
        return len(self._twins)

    @property
    def free_slots(self) -> int:
        """How many more rows the batch can take. A prompt that is prefilled in chunks occupies a slot already."""
        return self.batch.slots - len(self.rows) - self.batch.prefilling

    # Admission

    def next_prompts(self) -> list[Tokens]:
        """The prompts at the front of the queue, as far as common prefixes are looked for."""
        return [request.tokens for request in islice(self.waiting, _LOOK_AHEAD)]

    @property
    def admissible(self) -> int:
        """How many requests may be admitted now, leaving free the slots that forks are expected to need.

        Filling those as well would not waste any work, but then one arm of a job waits until the other has finished,
        and the user wants to see the two side by side. How many rows will fork is estimated from the jobs so far, as if
        there had been one more, which forked.
        """
        if self.batch.prefilling:
            return 1  # the prompt that was begun: its slot is reserved
        fork_rate = (self._forked + 1) / (self._forked + self._unforked + 1)
        may_fork = sum(len(row.arms) == 2 for row in self.rows)
        # Each admitted request needs a slot now and, at that rate, a second one later.
        admissible = int((self.free_slots - len(self._waiting_forks) - fork_rate * may_fork) / (1 + fork_rate))
        # Negative when more jobs forked than was expected. With nothing in flight one request must be admitted, or the
        # decoder would be idle for ever.
        return max(0 if self._twins else 1, admissible)

    def admit(self, count: int, start: Callable[[Request], Twin]) -> list[Row]:
        """Take requests off the queue whose prompts are computed, in the slots behind the running rows."""
        twins = [start(self.waiting.popleft()) for _ in range(count)]
        self._twins |= {twin.request.id: twin for twin in twins}
        admitted = [Row(twin, tuple(twin.arms), len(twin.request.tokens)) for twin in twins]
        for row in admitted:
            self._append(row)
        return admitted

    # Forks

    def record_fork(self) -> None:
        """The arms of a job chose differently, whether or not both of them continue."""
        self._forked += 1

    def fork(self, source: Row, arm: Arm, token: int) -> None:
        """Give an arm a row of its own that continues from where `source` is, as soon as there is a slot for it."""
        row = Row(source.twin, (arm,), source.length, token)
        if self.free_slots:
            self._copy(source, row)
            return
        # The other arm decodes on meanwhile. The draws of this one must not advance with it, or its reply would depend
        # on how crowded the batch was.
        state = source.twin.arms[arm]
        state.generator = state.generator and state.generator.clone_state()
        self._waiting_forks.append(WaitingFork(row, source))

    def resume_forks(self) -> None:
        """Give free slots to the arms that wait for one. They come before new requests: their jobs are older."""
        while self._waiting_forks and self.free_slots:
            fork = self._waiting_forks.popleft()
            self._copy(fork.source, fork.row)

    def _copy(self, source: Row, row: Row) -> None:
        self._append(row)
        self.batch.fork(source.slot, row.slot, row.length)

    def _append(self, row: Row) -> None:
        row.slot = len(self.rows)
        self.rows.append(row)

    # Release

    def release(self, row: Row) -> None:
        """Free the slot of a row, or hand it to the arm that waits to continue from this row."""
        for fork in self._waiting_forks:
            if fork.source is row:
                # No copy: the slot still begins with the tokens that the arms share, and those after them are
                # overwritten one by one.
                self._waiting_forks.remove(fork)
                self._put(fork.row, row.slot)
                return
        last = self.rows.pop()
        self.batch.drop(row.slot, last.slot, last.length)
        if last is not row:
            self._put(last, row.slot)

    def _put(self, row: Row, slot: int) -> None:
        row.slot, self.rows[slot] = slot, row

    def finish(self, twin: Twin) -> None:
        """A job is done; its rows were released."""
        del self._twins[twin.request.id]
        self._unforked += twin.fork is None

    def cancel(self, id: str) -> bool:
        """Drop a request, whether it waits or runs; False if it does neither."""
        if self.waiting.cancel(id):
            return True
        twin = self._twins.pop(id, None)
        if twin is None:
            return False
        # First: a fork that waits for one of the rows would inherit its slot.
        self._waiting_forks = deque(fork for fork in self._waiting_forks if fork.row.twin is not twin)
        for row in [row for row in self.rows if row.twin is twin]:
            self.release(row)
        return True

    def close(self) -> None:
        """Drop all requests and their rows."""
        for id in [*self._twins, *(request.id for request in self.waiting)]:
            self.cancel(id)

    # Preemption

    def preempt_all(self) -> int:
        """Return the jobs in flight to the front of the queue and halve the batch; how many jobs those are.

        All of them restart, because the KV cache that they share is one block: a smaller one cannot be had while the
        old one lives. The batch is let go of here, so that its memory is free before the caller sets a new one.
        """
        requests = [twin.request for twin in self._twins.values()]
        self.waiting.extendleft(reversed(requests))
        self.max_rows = max(1, (len(self.rows) or self.max_rows) // 2)
        self._twins.clear()
        self.rows.clear()
        self._waiting_forks.clear()
        del self.batch
        return len(requests)
