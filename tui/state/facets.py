"""What one can filter by: each value with the number of jobs it would show, given the rest of the filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias, get_args

from engine.judging.verdict import FailureClass
from tui.state.filtered_jobs import FilteredJobs
from tui.state.filters import Filter, Outcome, classes, describe_outcome, outcomes, outcomes_for
from tui.state.job_groups import JobGroup
from tui.text.safe import one_line

Value: TypeAlias = Outcome | str


class Facet(Enum):
    """A property of jobs to filter by. The value is its heading."""

    OUTCOME = "outcome"
    CLASS = "class"
    TAG = "tag"
    PROMPT = "prompt"
    VARIATION = "variation"


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a facet to choose."""

    facet: Facet
    value: Value
    label: str
    count: int
    """How many jobs it would show."""
    on: bool
    """Whether it is part of the filter."""


def choices(view: FilteredJobs) -> list[Choice]:
    """All values of all facets, in the order of the facets."""
    jobs = _jobs_by_group(view)
    return [choice for facet in Facet for choice in _choices(facet, view, jobs)]


def toggled(filter: Filter, facet: Facet, value: Value) -> Filter:
    """The filter with a value turned on, in place of another of its facet, or off."""
    chosen = None if _chosen(filter, facet) == value else value
    match facet:
        case Facet.OUTCOME:
            return replace(filter, outcome=chosen if isinstance(chosen, Outcome) else Outcome.ALL)
        case Facet.CLASS:
            return replace(filter, failure=_text(chosen), arm=None)
        case Facet.TAG:
            return replace(filter, tag=_text(chosen))
        case Facet.PROMPT:
            return replace(filter, prompt=_text(chosen))
        case Facet.VARIATION:
            return replace(filter, variation=_text(chosen))


def _text(value: Value | None) -> str | None:
    return value if isinstance(value, str) else None


def _chosen(filter: Filter, facet: Facet) -> Value | None:
    match facet:
        case Facet.OUTCOME:
            return filter.outcome
        case Facet.CLASS:
            return filter.failure
        case Facet.TAG:
            return filter.tag
        case Facet.PROMPT:
            return filter.prompt
        case Facet.VARIATION:
            return filter.variation


def _without(filter: Filter, facet: Facet) -> Filter:
    chosen = _chosen(filter, facet)
    return filter if chosen in (None, Outcome.ALL) else toggled(filter, facet, chosen)


def _jobs_by_group(view: FilteredJobs) -> Counter[int]:
    """How many jobs of each group contain the text."""
    groups = view.groups
    if not view.filter.text:
        return Counter(dict(enumerate(groups.counts)))
    return Counter(groups.of_job[number] for number in view.matching(Filter(text=view.filter.text)))


def _choices(facet: Facet, view: FilteredJobs, jobs: Counter[int]) -> Iterable[Choice]:
    others, chosen, labels = _without(view.filter, facet), _chosen(view.filter, facet), view.state.labels
    values_of = _VALUES[facet]
    counts: dict[Value, int] = dict.fromkeys(outcomes_for(labels), 0) if facet is Facet.OUTCOME else {}
    everything = not others.by_group
    for number, group in enumerate(view.groups.distinct):
        count = jobs[number] if everything or others.admits(group) else 0
        for value in values_of(group):
            counts[value] = counts.get(value, 0) + count
    values = _ordered(facet, counts, labels)
    if len(values) < 2 and facet in _NEEDS_TWO and chosen is None:
        return
    for value in values:
        yield Choice(facet, value, _format_value(facet, value, labels), counts[value], chosen == value)


_VALUES: dict[Facet, Callable[[JobGroup], Iterable[Value]]] = {
    Facet.OUTCOME: outcomes,
    Facet.CLASS: classes,
    Facet.TAG: lambda group: group.tags or ("",),
    Facet.PROMPT: lambda group: (group.prompt,),
    Facet.VARIATION: lambda group: (group.variation,),
}


_NEEDS_TWO = (Facet.TAG, Facet.PROMPT, Facet.VARIATION)  # a single value of these leaves nothing to choose


def _ordered(facet: Facet, counts: dict[Value, int], labels: tuple[str, str]) -> Sequence[Value]:
    if facet is Facet.OUTCOME:
        return outcomes_for(labels)
    if facet is Facet.CLASS:
        return [name for name in get_args(FailureClass) if name in counts]
    return list(counts)


def _format_value(facet: Facet, value: Value, labels: tuple[str, str]) -> str:
    if isinstance(value, Outcome):
        return describe_outcome(value, labels)
    if value:
        return one_line(value)
    return "no tag" if facet is Facet.TAG else "as written"
