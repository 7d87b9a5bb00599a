"""Filters for the jobs of a run: by what came of both arms, class, tag, prompt, variation and text, all together."""

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
    """What came of a job's two sides. The value is what people read of a run, see `describe_outcome`."""

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
    """What can be asked for, given what the two sides of each job are called."""
    return _OF_A_RUN if labels == ARMS else tuple(_OF_A_COMPARISON)


def describe_outcome(outcome: Outcome, labels: tuple[str, str]) -> str:
    """What people read: "rescued" where the sides are arms is "fixed" where they are baseline and candidate."""
    return outcome.value if labels == ARMS else _OF_A_COMPARISON[outcome]


@dataclass(frozen=True, slots=True)
class Filter:
    """Everything set must hold. None lets everything through; "" as variation is the input as written, as tag none.

    failure: a class of the reply of `side`, or where that is None of either; "ok" among them only where there is a
    side. text: found in the job's id, its input or its classes, upper and lower case alike.
    """

    outcome: Outcome = Outcome.ALL
    failure: str | None = None
    arm: Arm | None = None
    tag: str | None = None
    prompt: str | None = None
    variation: str | None = None
    text: str = ""

    def __bool__(self) -> bool:
        """Whether anything is kept back."""
        return self != _EVERYTHING

    @property
    def by_group(self) -> bool:
        """Whether anything but the text is asked for."""
        return replace(self, text="") != _EVERYTHING

    def admits(self, group: JobGroup) -> bool:
        """Whether jobs of a group are let through, the text aside."""
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
        """A function that tells whether a job is let through."""
        needle = self.text.casefold()
        return lambda job: self.admits(group_of(job)) and needle in searchable_text(job)

    def describe(self, labels: tuple[str, str]) -> str:
        """What is asked for: `broken free, class prose_before, prompt naive, "alice"`."""
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
    """All that jobs of a group are shown under."""
    return _outcomes(_fine(group.free), _fine(group.constrained), group.judged, group.agree)


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


def _fine(facts: ReplyFacts | None) -> bool | None:
    return None if facts is None else facts.ok


def classes(group: JobGroup, arm: Arm | None = None) -> set[str]:
    """The classes of one side's reply; of both, "ok" aside, where no arm is named."""
    if arm is not None:
        facts = group.of(arm)
        return set(facts.classes) if facts is not None else set()
    return {name for arm in ARMS for name in classes(group, arm) if name != "ok"}


def searchable_text(job: JobState) -> str:
    """What a text is looked for in, in lower case."""
    parts = [job.info.id, job.info.input]
    if job.facts is not None:
        parts += [name for facts in (job.facts.free, job.facts.constrained) if facts for name in facts.classes]
    return "\n".join(parts).casefold()
