"""What widgets and workers post to the screens, and the screens to the app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from textual.message import Message

if TYPE_CHECKING:
    from engine.runs.listing import ListedRun
    from tui.state.comparison import PairBatch
    from tui.state.opened_run import RecordBatch
    from tui.state.suites import SuiteFile

Direction: TypeAlias = Literal["up", "down", "page_up", "page_down"]


@dataclass
class SuitesRead(Message):
    """The suites under the folder have been read, those that do not load included."""

    suites: list[SuiteFile]


@dataclass
class LastResultsRead(Message):
    """The last results of the suites are known."""

    last: dict[str, ListedRun]
    """By the suites' names."""


@dataclass
class RunRequested(Message):
    """The user wants a suite run."""

    suite: Path
    resume: Path | None = None
    """The folder of the run to resume; None for a new one."""

    without: frozenset[str] = frozenset()
    """Cases to leave out of a new run."""

    adapter: str | None = None
    """What answers in a new run; None for the base model alone."""


@dataclass
class SearchRequested(Message):
    """The user wants the best prompt for a suite."""

    suite: Path


@dataclass
class RunsRequested(Message):
    """The user wants the list of runs."""


@dataclass
class OpenRunRequested(Message):
    """The user wants to see a run, past or in progress."""

    folder: Path


@dataclass
class CompareRequested(Message):
    """The user wants two runs compared, by their folders."""

    baseline: Path
    candidate: Path


@dataclass
class RunsRead(Message):
    """The folder of the runs has been read."""

    runs: list[ListedRun]
    error: str | None = None
    """Why it could not be."""


@dataclass
class RecordsRead(Message):
    """More of a run has been read from its folder."""

    batch: RecordBatch


@dataclass
class PairsRead(Message):
    """More of two runs that are compared has been read."""

    batch: PairBatch


@dataclass
class JobSelected(Message):
    """The cursor of the job list has moved to another job."""

    number: int


@dataclass
class MoveRequested(Message):
    """The user moves in a list while typing a text to find in it."""

    direction: Direction
