"""What widgets and workers tell the screens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from engine.runs.listing import ListedRun
    from tui.state.comparison import PairBatch
    from tui.state.opened_run import RecordBatch
    from tui.state.suites import SuiteFile


class SuitesRead(Message):
    """The suites under the folder have been read, those that do not load included."""

    def __init__(self, suites: list[SuiteFile]) -> None:
        self.suites = suites
        super().__init__()


class LastResultsRead(Message):
    """The last results of the suites are known, by the suites' names."""

    def __init__(self, last: dict[str, ListedRun]) -> None:
        self.last = last
        super().__init__()


class RunRequested(Message):
    """The user wants a suite run. resume: the folder of a run of it to go on with, None for a new one.

    without: cases to leave out of a new one. adapter: what answers in it, None for the base alone.
    """

    def __init__(
        self,
        suite: Path,
        resume: Path | None = None,
        without: frozenset[str] = frozenset(),
        adapter: str | None = None,
    ) -> None:
        self.suite, self.resume, self.without, self.adapter = suite, resume, without, adapter
        super().__init__()


class SearchRequested(Message):
    """The user wants the best prompt for a suite."""

    def __init__(self, suite: Path) -> None:
        self.suite = suite
        super().__init__()


class RunsRequested(Message):
    """The user wants to see past runs, and those that are on."""


class RunsRead(Message):
    """The folder of the runs has been looked at. error: why that could not be done."""

    def __init__(self, runs: list[ListedRun], error: str | None = None) -> None:
        self.runs, self.error = runs, error
        super().__init__()


class RecordsRead(Message):
    """More of a run has been read from its folder."""

    def __init__(self, batch: RecordBatch) -> None:
        self.batch = batch
        super().__init__()


class PairsRead(Message):
    """More of two runs that are compared has been read."""

    def __init__(self, batch: PairBatch) -> None:
        self.batch = batch
        super().__init__()


class JobSelected(Message):
    """The cursor of the job list stands on another job."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__()
