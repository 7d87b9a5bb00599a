"""The counts of the matrix: prompts by variations, tags or classes. Nothing is drawn here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias, get_args

from engine.judging.verdict import FailureClass
from engine.records import Arm
from engine.runs.job_facts import ReplyFacts
from engine.statistics import Paired, design_effect
from tui.state.filters import Filter
from tui.state.job_groups import JobGroup, JobGroups

Name: TypeAlias = str | None
"""The name of a row or a column; None is all of them together."""


class By(Enum):
    """What the columns are. The value is its label."""

    VARIATION = "variations"
    TAG = "tags"
    CLASS = "classes"


class Rate(Enum):
    """What is counted of each reply. The value is its label."""

    STRICT = "strict"
    SCHEMA = "schema"
    RIGHT = "right"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Question:
    """What a matrix shows."""

    by: By = By.VARIATION
    rate: Rate = Rate.OK
    """Ignored for columns of classes."""
    arm: Arm | None = "free"
    """None for the difference, the second arm minus the first."""

    def holds(self, facts: ReplyFacts, column: Name) -> bool | None:
        """Whether a reply has what a column counts; None if the reply does not count."""
        if self.by is By.CLASS:
            return column in facts.classes
        match self.rate:
            case Rate.STRICT:
                return facts.strict
            case Rate.SCHEMA:
                return facts.schema
            case Rate.RIGHT:
                return facts.values
            case Rate.OK:
                return facts.ok

    def both(self, group: JobGroup, column: Name) -> tuple[bool, bool] | None:
        """The same for both replies of a job; None if one of them does not count."""
        if group.free is None or group.constrained is None:
            return None
        first, second = self.holds(group.free, column), self.holds(group.constrained, column)
        return None if first is None or second is None else (first, second)

    def value(self, group: JobGroup, column: Name) -> int | None:
        """What a job adds to k in a column: 0 or 1, for a difference also -1. None if it does not count."""
        if self.arm is None:
            pair = self.both(group, column)
            return None if pair is None else pair[1] - pair[0]
        facts = group.of(self.arm)
        held = None if facts is None else self.holds(facts, column)
        return None if held is None else int(held)


@dataclass(slots=True)
class Cell:
    """k of n replies; for a difference of n pairs of replies, the second arm's k minus the first's."""

    k: int = 0
    n: int = 0

    @property
    def share(self) -> float | None:
        """From 0 to 1, for a difference from -1 to 1. None without replies."""
        return self.k / self.n if self.n else None


@dataclass(slots=True)
class Matrix:
    """The table of counts."""

    rows: list[Name] = field(default_factory=list)
    """The prompts, all of them together first."""
    columns: list[Name] = field(default_factory=list)
    """Variations or tags, all of them together first; or classes."""
    trials: set[str] = field(default_factory=set)
    """The prompts that are not the run's own."""
    cells: dict[tuple[Name, Name], Cell] = field(default_factory=dict)
    """By row and column; a missing cell has no replies."""

    def cell(self, row: Name, column: Name) -> Cell:
        """The counts of a cell."""
        return self.cells.get((row, column)) or Cell()


def count(groups: JobGroups, question: Question) -> Matrix:
    """Count all finished jobs of a run. The time grows with the number of groups, not with the number of jobs.

    Excluded cases do not count. A trial of another prompt has a row of its own; a trial of one of the run's own prompts
    does not count.
    """
    present = [group for group, jobs in zip(groups.distinct, groups.counts, strict=True) if jobs]
    prompts = dict.fromkeys(group.prompt for group in present)
    own = _own(groups)
    matrix = Matrix(trials=set(prompts) - own, columns=_columns(present, question.by))
    matrix.rows = [*([None] if len(prompts) > 1 else []), *prompts]
    for group, jobs in zip(groups.distinct, groups.counts, strict=True):
        if not jobs or not _counts(group, own):
            continue
        for column in _columns_of(group, question.by, matrix.columns):
            value = question.value(group, column)
            if value is not None:
                for row in (group.prompt,) if group.trial else (None, group.prompt):
                    cell = matrix.cells.setdefault((row, column), Cell())
                    cell.k += value * jobs
                    cell.n += jobs
    return matrix


def _own(groups: JobGroups) -> set[str]:
    """The prompts of the run itself."""
    return {group.prompt for group in groups.distinct if not group.trial}


def _counts(group: JobGroup, own: set[str]) -> bool:
    return not group.excluded and not (group.trial and group.prompt in own)


def _columns(groups: Iterable[JobGroup], by: By) -> list[Name]:
    """All columns: in the order in which they appear, classes in their own order."""
    if by is By.CLASS:
        found = {
            name for group in groups for facts in (group.free, group.constrained) if facts for name in facts.classes
        }
        return [name for name in get_args(FailureClass) if name in found]
    names = dict.fromkeys(name for group in groups for name in _names(group, by))
    return [None, *names]


def _names(group: JobGroup, by: By) -> tuple[str, ...]:
    return (group.variation,) if by is By.VARIATION else group.tags or ("",)


def _columns_of(group: JobGroup, by: By, columns: list[Name]) -> Iterable[Name]:
    """The columns that a group counts in: for classes all of them, since it either has the class or has not."""
    return columns if by is By.CLASS else (None, *_names(group, by))


def filter_of(question: Question, row: Name, column: Name) -> Filter:
    """The filter that lets the jobs of a cell through."""
    match question.by:
        case By.VARIATION:
            return Filter(prompt=row, variation=column)
        case By.TAG:
            return Filter(prompt=row, tag=column)
        case By.CLASS:
            either = column == "ok" and question.arm is None  # then every job of the prompt counts
            return Filter(prompt=row, failure=None if either else column, arm=question.arm)


def cell_design_effect(groups: JobGroups, question: Question, row: Name, column: Name) -> float:
    """The design effect of the replies that a cell counts (see `statistics.design_effect`)."""
    counted = _within(groups, question, row, column)
    for number, group in enumerate(groups.distinct):
        counted[number] = counted[number] and question.value(group, column) is not None
    jobs = zip(groups.state.jobs, groups.of_job, strict=True)
    return design_effect(Counter([job.info.case for job, number in jobs if counted[number]]).values())


def cell_pairs(groups: JobGroups, question: Question, row: Name, column: Name) -> Paired:
    """The pairs of replies that a cell counts, the first arm's reply first."""
    paired, within = Paired(), _within(groups, question, row, column)
    both = [question.both(group, column) if within[number] else None for number, group in enumerate(groups.distinct)]
    for job, number in zip(groups.state.jobs, groups.of_job, strict=True):
        pair = both[number]
        if pair is not None:
            paired.add(*pair, job.info.case)
    return paired


def _within(groups: JobGroups, question: Question, row: Name, column: Name) -> list[bool]:
    """For each group, whether its jobs belong to a cell."""
    own = _own(groups)
    return [
        _counts(group, own)
        and (group.prompt == row if row is not None else not group.trial)
        and (column is None or question.by is By.CLASS or column in _names(group, question.by))
        for group in groups.distinct
    ]
