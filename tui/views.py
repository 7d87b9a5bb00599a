"""Which jobs of a run a list shows: those its filter lets through, in the run's order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence

from tui.filters import Filter
from tui.state import RunState


class JobView:
    """The numbers of the jobs shown. Call `update` before looking: it takes in what has changed since."""

    def __init__(self, state: RunState) -> None:
        self.state = state
        self._filter = Filter()
        self._numbers: list[int] = []
        self._seen = 0  # so many jobs have been looked at

    @property
    def filter(self) -> Filter:
        """What is let through."""
        return self._filter

    @filter.setter
    def filter(self, value: Filter) -> None:
        if value != self._filter:
            self._filter, self._numbers, self._seen = value, [], 0
            self.update()

    @property
    def numbers(self) -> Sequence[int]:
        """The numbers of the jobs shown, ascending."""
        return self._numbers if self._filter else range(len(self.state.jobs))

    def update(self) -> None:
        """Take in jobs that were added and those that changed."""
        state = self.state
        changed, state.changed = state.changed, set()
        if not self._filter:
            return
        if len(state.jobs) < self._seen:
            self._numbers, self._seen = [], 0
        matches = self._filter.matcher()
        for number in changed:
            if number < self._seen:
                self._place(number, matches(state.jobs[number]))
        for number in range(self._seen, len(state.jobs)):
            if matches(state.jobs[number]):
                self._numbers.append(number)
        self._seen = len(state.jobs)

    def row_of(self, number: int) -> int | None:
        """Where a job stands among those shown; None where it is not."""
        row = bisect_left(self.numbers, number)
        return row if row < len(self.numbers) and self.numbers[row] == number else None

    def nearest_row(self, number: int) -> int:
        """The row of a job, or of the one before it that is shown; 0 where there is none."""
        return max(0, bisect_right(self.numbers, number) - 1)

    def _place(self, number: int, shown: bool) -> None:
        row = self.row_of(number)
        if shown and row is None:
            insort(self._numbers, number)
        elif not shown and row is not None:
            del self._numbers[row]
