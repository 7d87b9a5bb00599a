"""Filters for the jobs of a run: by what came of both arms, class, tag, prompt, variation and text, all together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from tui.jobs import JobState, Mark


class Show(Enum):
    """What came of a job's two arms. The value is what people read."""

    ALL = "all"
    BROKEN = "broken free"
    RESCUED = "rescued"
    LOST = "broken by constraint"
    DISAGREE = "arms disagree on values"
    WRONG = "both wrong"
    ERROR = "not decoded"


@dataclass(frozen=True, slots=True)
class Filter:
    """Everything set must hold. None lets everything through; variation "" is the input as it is.

    failure: a class of either reply. text: found in the job's id, its input or its classes, upper and lower case alike.
    """

    show: Show = Show.ALL
    failure: str | None = None
    tag: str | None = None
    prompt: str | None = None
    variation: str | None = None
    text: str = ""

    def __bool__(self) -> bool:
        """Whether anything is kept back."""
        return self != _EVERYTHING

    def matcher(self) -> Callable[[JobState], bool]:
        """A function that tells whether a job is let through."""
        tests = list(self._tests())
        return lambda job: all(test(job) for test in tests)

    def _tests(self) -> list[Callable[[JobState], bool]]:
        tests: list[Callable[[JobState], bool]] = []
        if self.prompt is not None:
            tests.append(lambda job: job.info.prompt == self.prompt)
        if self.variation is not None:
            tests.append(lambda job: (job.info.variation or "") == self.variation)
        if self.tag is not None:
            tests.append(lambda job: self.tag in job.info.tags)
        if self.show is not Show.ALL:
            tests.append(lambda job: shown(job, self.show))
        if self.failure is not None:
            tests.append(lambda job: self.failure in failures(job))
        if needle := self.text.casefold():
            tests.append(lambda job: contains(job, needle))
        return tests


_EVERYTHING = Filter()


def shown(job: JobState, show: Show) -> bool:
    """Whether what came of a job is what one wants to see."""
    free, constrained = job.mark("free"), job.mark("constrained")
    match show:
        case Show.ALL:
            return True
        case Show.BROKEN:
            return free is Mark.BROKEN
        case Show.RESCUED:
            return free is Mark.BROKEN and constrained is Mark.OK
        case Show.LOST:
            return free is Mark.OK and constrained is Mark.BROKEN
        case Show.DISAGREE:
            return job.facts is not None and job.facts.agree is False
        case Show.WRONG:
            return free is Mark.BROKEN and constrained is Mark.BROKEN
        case Show.ERROR:
            return Mark.ERROR in (free, constrained)


def failures(job: JobState) -> set[str]:
    """The classes of both replies, "ok" aside."""
    if job.facts is None:
        return set()
    verdicts = (job.facts.free, job.facts.constrained)
    return {name for verdict in verdicts if verdict is not None for name in verdict.classes if name != "ok"}


def contains(job: JobState, needle: str) -> bool:
    """Whether a text in lower case is found in a job."""
    return needle in job.info.id.casefold() or needle in job.info.input.casefold() or needle in failures(job)
