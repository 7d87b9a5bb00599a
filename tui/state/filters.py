"""Filters for the jobs of a run: by outcome, class, tag, prompt, variation and text, combined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

from engine.records import ARMS, Arm
from engine.runs.job_facts import ReplyFacts
from tui.state.job import JobState
from tui.state.job_groups import JobGroup, group_of
from tui.text.safe import one_line


class Outcome(Enum):
    """An outcome of a job's two replies. The value is its label for a run, see `describe_outcome`."""

    ALL = "all"
    BROKEN = "broken free"
    RESCUED = "rescued"
    LOST = "broken by constraint"
    SAME = "unchanged"
    DISAGREE = "arms disagree on values"
    WRONG = "both wrong"
    ERROR = "not decoded"


_OF_A_RUN = tuple(outcome for outcome in Outcome if outcome is not Outcome.SAME)
_OF_A_COMPARISON = {
    Outcome.ALL: "all",
    Outcome.RESCUED: "fixed",
    Outcome.LOST: "regressed",
    Outcome.SAME: "unchanged",
    Outcome.WRONG: "both wrong",
    Outcome.BROKEN: "broken baseline",
    Outcome.ERROR: "not decoded",
}


def outcomes_for(labels: tuple[str, str]) -> tuple[Outcome, ...]:
    """The outcomes one can filter by, given what the two replies of each job are called."""
    return _OF_A_RUN if labels == ARMS else tuple(_OF_A_COMPARISON)


def describe_outcome(outcome: Outcome, labels: tuple[str, str]) -> str:
    """The label of an outcome: "rescued" in a run is "fixed" in a comparison of two."""
    return outcome.value if labels == ARMS else _OF_A_COMPARISON[outcome]


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that must all hold; None lets everything through."""

    outcome: Outcome = Outcome.ALL
    failure: str | None = None
    """A class of the reply of `arm`, or of either reply if that is None; "ok" counts only together with an arm."""
    arm: Arm | None = None
    tag: str | None = None
    """Empty for jobs without a tag."""
    prompt: str | None = None
    variation: str | None = None
    """Empty for the input as written."""
    text: str = ""
    """Found in the job's id, its input or its classes, upper and lower case alike."""

    def __bool__(self) -> bool:
        """Whether it hides anything."""
        return self != _EVERYTHING

    @property
    def by_group(self) -> bool:
        """Whether it has any condition but the text: then groups decide."""
        return replace(self, text="") != _EVERYTHING

    def admits(self, group: JobGroup) -> bool:
        """Whether it lets the jobs of a group through, apart from the text."""
        if self.prompt is not None and group.prompt != self.prompt:
            return False
        if self.variation is not None and group.variation != self.variation:
            return False
        if self.tag is not None and self.tag not in (group.tags or ("",)):
            return False
        if self.failure is not None and self.failure not in classes(group, self.arm):
            return False
        return self.outcome in outcomes(group)

    def matcher(self) -> Callable[[JobState], bool]:
        """A predicate for jobs."""
        needle = self.text.casefold()
        return lambda job: self.admits(group_of(job)) and needle in searchable_text(job)

    def describe(self, labels: tuple[str, str]) -> str:
        """The conditions in words: `broken free, class prose_before, prompt naive, "alice"`."""
        words = [describe_outcome(self.outcome, labels)] if self.outcome is not Outcome.ALL else []
        if self.failure is not None:
            side = f" of {labels[ARMS.index(self.arm)]}" if self.arm is not None else ""
            words.append(f"class {self.failure}{side}")
        if self.tag is not None:
            words.append(f"tag {self.tag}" if self.tag else "no tag")
        if self.prompt is not None:
            words.append(f"prompt {self.prompt}")
        if self.variation is not None:
            words.append(f"variation {self.variation}" if self.variation else "as written")
        if self.text:
            words.append(f'"{self.text}"')
        return one_line(", ".join(words))


_EVERYTHING = Filter()


def outcomes(group: JobGroup) -> frozenset[Outcome]:
    """All outcomes of the jobs of a group."""
    return _outcomes(_is_ok(group.free), _is_ok(group.constrained), group.judged, group.agree)


@lru_cache
def _outcomes(free: bool | None, constrained: bool | None, judged: bool, agree: bool | None) -> frozenset[Outcome]:
    held = {
        Outcome.ALL: True,
        Outcome.BROKEN: free is False,
        Outcome.RESCUED: free is False and constrained is True,
        Outcome.LOST: free is True and constrained is False,
        Outcome.SAME: free is not None and free is constrained,
        Outcome.DISAGREE: agree is False,
        Outcome.WRONG: free is False and constrained is False,
        Outcome.ERROR: judged and None in (free, constrained),
    }
    return frozenset(outcome for outcome, holds in held.items() if holds)


def _is_ok(facts: ReplyFacts | None) -> bool | None:
    return None if facts is None else facts.ok


def classes(group: JobGroup, arm: Arm | None = None) -> set[str]:
    """The classes of one arm's reply; without an arm those of both, except "ok"."""
    if arm is not None:
        facts = group.of(arm)
        return set(facts.classes) if facts is not None else set()
    return {name for arm in ARMS for name in classes(group, arm) if name != "ok"}


def searchable_text(job: JobState) -> str:
    """The text that a filter searches, in lower case."""
    parts = [job.info.id, job.info.input]
    if job.facts is not None:
        parts += [name for facts in (job.facts.free, job.facts.constrained) if facts for name in facts.classes]
    return "\n".join(parts).casefold()
