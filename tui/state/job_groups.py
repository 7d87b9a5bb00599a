"""The jobs of a run, grouped by all that filters and counts look at: few groups, so that counting is fast."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.records import Arm
from engine.runs.job_facts import ReplyFacts
from tui.state.job import JobState
from tui.state.run import RunState


@dataclass(frozen=True, slots=True)
class JobGroup:
    """What the jobs of a group have in common."""

    prompt: str
    variation: str
    """Empty for the input as written."""
    tags: tuple[str, ...]
    trial: bool
    excluded: bool
    """Whether their case counts nowhere."""
    judged: bool = False
    """Whether they are finished: then a missing verdict means that the reply was not decoded."""
    free: ReplyFacts | None = None
    constrained: ReplyFacts | None = None
    agree: bool | None = None

    def of(self, arm: Arm) -> ReplyFacts | None:
        """The verdict on one arm's reply."""
        return self.free if arm == "free" else self.constrained


def group_of(job: JobState, excluded: bool = False) -> JobGroup:
    """The group that a job belongs to."""
    info, facts = job.info, job.facts
    common = (info.prompt, info.variation or "", info.tags, job.trial, excluded)
    if facts is None or job.cancelled:
        return JobGroup(*common)
    return JobGroup(*common, True, facts.free, facts.constrained, facts.agree)


@dataclass(slots=True)
class JobGroups:
    """Each job's group, kept up to date."""

    state: RunState
    distinct: list[JobGroup] = field(default_factory=list)
    """In the order in which they first appeared."""
    counts: list[int] = field(default_factory=list)
    """How many jobs each group has."""
    of_job: list[int] = field(default_factory=list)
    """Of each job, the number of its group."""
    _numbers: dict[tuple[object, ...], int] = field(default_factory=dict)

    def update(self, changed: Iterable[int] = ()) -> None:
        """Group the jobs that were added, and those that have changed anew."""
        jobs = self.state.jobs
        for number in changed:
            if number < len(self.of_job):
                self.counts[self.of_job[number]] -= 1
                self.of_job[number] = self._number(jobs[number])
        for number in range(len(self.of_job), len(jobs)):
            self.of_job.append(self._number(jobs[number]))

    def _number(self, job: JobState) -> int:
        """Count a job in its group, and return the group's number."""
        info, facts = job.info, job.facts
        key: tuple[object, ...] = (info.prompt, info.variation, info.tags, job.trial, info.case in self.state.excluded)
        if facts is not None and not job.cancelled:
            # By identity, as equal verdicts are one object: hashing them would take longer than all the rest.
            key += (id(facts.free), id(facts.constrained), facts.agree)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.distinct)
            self.distinct.append(group_of(job, excluded=info.case in self.state.excluded))
            self.counts.append(0)
        self.counts[number] += 1
        return number
