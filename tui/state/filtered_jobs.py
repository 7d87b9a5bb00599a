"""The jobs of a run that a filter lets through, in the run's order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence

from tui.state.filters import Filter, searchable_text
from tui.state.job_groups import JobGroups
from tui.state.run import RunState


class FilteredJobs:
    """The numbers of the jobs that a filter lets through. Call `update` before reading: it applies what has changed."""

    latest: int | None
    """The number of the job that the filter let through last, None before the first."""

    def __init__(self, state: RunState) -> None:
        self.state = state
        self.latest = None
        self._filter = Filter()
        self._numbers: list[int] = []
        self._seen = 0  # how many jobs were examined
        self._groups: JobGroups | None = None
        self._texts: list[str] | None = None  # what a text is searched in, in lower case: made when one is first typed
        self._admitted: list[bool] = []  # of each group, whether the filter lets it through

    @property
    def filter(self) -> Filter:
        """The filter. Setting it filters all jobs anew."""
        return self._filter

    @filter.setter
    def filter(self, value: Filter) -> None:
        if value != self._filter:
            self.update()
            self._filter, self.latest, self._admitted = value, None, []
            self._numbers = self.matching(value)

    @property
    def numbers(self) -> Sequence[int]:
        """The numbers of the jobs shown, ascending."""
        return self._numbers if self._filter else range(len(self.state.jobs))

    @property
    def groups(self) -> JobGroups:
        """The run's jobs in groups, as of the last update."""
        if self._groups is None:
            self.update()
            self._groups = JobGroups(self.state)
            self._groups.update()
        return self._groups

    def update(self) -> None:
        """Apply the filter to jobs that were added and those that have changed."""
        state = self.state
        changed, state.changed = state.changed, set()
        if len(state.jobs) < self._seen:
            self._numbers, self._seen, self._groups, self._texts, self._admitted = [], 0, None, None, []
        grown = range(self._seen, len(state.jobs))
        self._seen = len(state.jobs)
        if self._groups is not None:
            self._groups.update(changed)
        if self._texts is not None:
            self._texts.extend(searchable_text(state.jobs[number]) for number in grown)
            for number in changed:
                self._texts[number] = searchable_text(state.jobs[number])
        if self._filter:
            self._place(sorted(changed.difference(grown)), grown)

    def matching(self, wanted: Filter) -> list[int]:
        """The numbers of all jobs that a filter lets through, ascending, as of the last update."""
        numbers: Iterable[int] = range(self._seen)
        if wanted.by_group:
            admitted = [wanted.admits(group) for group in self.groups.distinct]
            numbers = [number for number, group in enumerate(self.groups.of_job) if admitted[group]]
        if needle := wanted.text.casefold():
            texts = self._searchable_texts()
            numbers = [number for number in numbers if needle in texts[number]]
        return list(numbers)

    def prepare_search(self) -> None:
        """Prepare the texts that are searched, so that the first key typed need not wait for them."""
        self.update()
        self._searchable_texts()

    def row_of(self, number: int) -> int | None:
        """The row of a job; None if the filter hides it."""
        row = bisect_left(self.numbers, number)
        return row if row < len(self.numbers) and self.numbers[row] == number else None

    def nearest_row(self, number: int) -> int:
        """The row of a job, or of the last one before it that is shown; 0 if there is none."""
        return max(0, bisect_right(self.numbers, number) - 1)

    def _searchable_texts(self) -> list[str]:
        if self._texts is None:
            self._texts = [searchable_text(job) for job in self.state.jobs[: self._seen]]
        return self._texts

    def _place(self, changed: Iterable[int], grown: Iterable[int]) -> None:
        """Insert or remove the rows of jobs that changed, and append those that were added."""
        for number in changed:
            row = self.row_of(number)
            if self._lets_through(number):
                self.latest = number
                if row is None:
                    insort(self._numbers, number)
            elif row is not None:
                del self._numbers[row]
        self._numbers.extend(number for number in grown if self._lets_through(number))

    def _lets_through(self, number: int) -> bool:
        if self._filter.by_group:
            groups = self.groups
            for group in groups.distinct[len(self._admitted) :]:
                self._admitted.append(self._filter.admits(group))
            if not self._admitted[groups.of_job[number]]:
                return False
        return not self._filter.text or self._filter.text.casefold() in self._searchable_texts()[number]
