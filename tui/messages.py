"""What widgets and workers tell the screens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tui.suites import SuiteFile


class SuitesRead(Message):
    """The suites under the folder have been read, those that do not load included."""

    def __init__(self, suites: list[SuiteFile]) -> None:
        self.suites = suites
        super().__init__()


class RunRequested(Message):
    """The user wants a suite run."""

    def __init__(self, suite: Path) -> None:
        self.suite = suite
        super().__init__()


class SearchRequested(Message):
    """The user wants the best prompt for a suite."""

    def __init__(self, suite: Path) -> None:
        self.suite = suite
        super().__init__()


class JobSelected(Message):
    """The cursor of the job list stands on another job."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__()
