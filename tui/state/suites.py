"""The suites that the first screen offers, those that do not load included."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.suites.suite import Suite


@dataclass(frozen=True, slots=True)
class SuiteFile:
    """A suite file: the suite and its number of jobs, or the reason why it does not load."""

    path: Path
    suite: Suite | None
    error: str | None = None
    jobs: int = 0
    search_text: str = ""
    """What `matches` searches, case-folded."""

    def matches(self, text: str) -> bool:
        """Whether its name, its description, a prompt's name or a case's input contains a text."""
        return text.casefold() in self.search_text


def read_suites(path: Path) -> list[SuiteFile]:
    """Read every suite under a folder, or one file. Slow (imports and files): call it from a thread."""
    from engine.suites.faults import SuiteError
    from engine.suites.suite import find_suites

    try:
        paths = find_suites(path)
    except SuiteError as error:
        return [SuiteFile(path, None, str(error))]
    return [_read(found) for found in paths]


def _read(path: Path) -> SuiteFile:
    from engine.suites.faults import SuiteError
    from engine.suites.jobs import count_jobs
    from engine.suites.suite import load_suite

    try:
        suite = load_suite(path)
        return SuiteFile(path, suite, None, count_jobs(suite), _search_text(path, suite))
    except SuiteError as error:
        return SuiteFile(path, None, str(error), search_text=path.name.casefold())


def _search_text(path: Path, suite: Suite) -> str:
    prompts, inputs = (prompt.name for prompt in suite.prompts), (case.input for case in suite.cases)
    return "\n".join([path.name, suite.name, suite.description, *prompts, *inputs]).casefold()


def search_unavailable_reason(file: SuiteFile) -> str | None:
    """Why the prompts of a suite that loads cannot be searched; None if they can."""
    from engine.errors import BadInputError
    from engine.protocol.commands import SEARCH_BUDGET
    from engine.search.planning import plan_search

    assert file.suite is not None
    try:
        plan_search(file.suite, SEARCH_BUDGET)
    except BadInputError as error:
        return str(error)
    return None
