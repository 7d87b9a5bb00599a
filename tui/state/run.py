"""What the screen shows of a run: plain data that the engine's events are applied to. Knows nothing of Textual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from engine.protocol.events import (
    Broke,
    Delta,
    Event,
    Forked,
    JobCancelled,
    JobFinished,
    JobInfo,
    JobStarted,
    RunFinished,
    RunStarted,
)
from engine.records import ARMS, Arm, Record
from engine.runs.job_facts import JobFacts, ReplyFacts, facts_of
from engine.runs.rates import ArmRates
from engine.statistics import Clusters
from tui.state.job import JobState
from tui.state.task import EngineTask

JobEvent: TypeAlias = JobStarted | Delta | Forked | Broke | JobFinished | JobCancelled


@dataclass(slots=True)
class RunState(EngineTask):
    """A run as its events tell it, or as it was read from its folder, with the jobs of the trials beside it.

    jobs: in the order of the run; those of trials come after all others, and count in no rate. newest: the number of
    the job that was begun last. labels: what the two sides of each job are called. excluded: cases that count nowhere
    and that later runs leave out. clusters: of each side, how many replies each case has in the rates. changed:
    numbers of the jobs that came to their end since somebody emptied it. fetch: reads the record of a job that was
    finished in a past run, given its place. unlisted: how many more jobs a past run was to finish: nothing is known
    of them. resumed: it goes on with a run that was broken off. trials: how many of the jobs are those of trials,
    ended_trials: of which so many are done. trying: a trial is on.
    """

    label: ClassVar[str] = "run"

    labels: tuple[str, str] = ARMS
    started: RunStarted | None = None
    jobs: list[JobState] = field(default_factory=list)
    newest: int | None = None
    done: int = 0
    cancelled: int = 0
    rates: dict[Arm, ArmRates] = field(default_factory=lambda: {arm: ArmRates() for arm in ARMS})
    clusters: dict[Arm, Clusters] = field(default_factory=lambda: {arm: Clusters() for arm in ARMS})
    excluded: set[str] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)
    fetch: Callable[[int], Record] | None = None
    unlisted: int = 0
    resumed: bool = False
    trials: int = 0
    trying: bool = False
    ended_trials: int = 0
    _index: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many jobs there are to finish: those that were cancelled do not count."""
        return len(self.jobs) - self.trials + self.unlisted - self.cancelled

    @property
    def resumable(self) -> bool:
        """Whether jobs are missing that can be added to the run's folder."""
        return self.over and self.folder is not None and self.done < self.total

    @property
    def adapter(self) -> str | None:
        """The name of the adapter that answers; None for the base alone."""
        return self.started.adapter if self.started is not None else None

    def over_for(self, job: JobState | None) -> bool:
        """Whether nothing more will come of a job, finished or not."""
        return self.over and not (self.trying and job is not None and job.trial)

    def add_jobs(self, infos: tuple[JobInfo, ...] | list[JobInfo], trial: bool = False) -> None:
        """More jobs, after those there are."""
        for number, info in enumerate(infos, len(self.jobs)):
            self.jobs.append(JobState(info, trial=trial))
            self._index[info.id] = number
            self.trials += trial

    def number_of(self, job: str) -> int | None:
        """The number of a job by its id."""
        return self._index.get(job)

    def add_finished(self, found: Sequence[tuple[JobInfo, JobFacts]], trial: bool = False) -> None:
        """More jobs, after those there are, of a past run: they are done and judged."""
        jobs = [JobState(info, facts=facts, trial=trial) for info, facts in found]
        self._index.update((job.info.id, number) for number, job in enumerate(jobs, len(self.jobs)))
        self.jobs += jobs
        self.trials += len(jobs) if trial else 0
        self.ended_trials += len(jobs) if trial else 0
        self.done += 0 if trial else len(jobs)
        self._count(jobs)

    def finish(self, number: int, facts: JobFacts, record: Record | None = None) -> None:
        """A job is done and judged."""
        job = self.jobs[number]
        self.done += not (job.finished or job.trial)
        self.ended_trials += job.trial and not job.finished
        job.finish(facts, record)
        self.changed.add(number)
        self._count([job])

    def _count(self, jobs: Sequence[JobState]) -> None:
        """Add the replies of jobs to the rates, of those that count."""
        counted = [(job.facts, job.info.case) for job in jobs if job.facts is not None and self.counts(job)]
        for arm in ARMS:
            found = [facts.of(arm) for facts, _ in counted]
            for each, times in _tallied(found):
                self.rates[arm].add(each, times)
            cases = (case for (_, case), each in zip(counted, found, strict=True) if each is not None)
            self.clusters[arm].add(*cases)

    def counts(self, job: JobState) -> bool:
        """Whether a job counts in the rates of the run."""
        return not job.trial and job.info.case not in self.excluded

    def exclude(self, case: str) -> bool:
        """Count a case no more, or again. Returns whether it is excluded now."""
        self.excluded ^= {case}
        self.rates = {arm: ArmRates() for arm in ARMS}
        self.clusters = {arm: Clusters() for arm in ARMS}
        self._count(self.jobs)
        self.changed.update(number for number, job in enumerate(self.jobs) if job.info.case == case)
        self.revision += 1
        return case in self.excluded

    def load(self, job: JobState) -> None:
        """Have the record of a finished job at hand. Raises OSError and ValueError where its file has changed."""
        if job.record is None and job.facts is not None and job.facts.place is not None and self.fetch is not None:
            record = self.fetch(job.facts.place)
            if record.id != job.info.id:
                raise ValueError(f"the record of {record.id} stands where that of {job.info.id} was")
            job.know(record)

    def _apply_own(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._start(event)
            case JobStarted() | Delta() | Forked() | Broke() | JobFinished() | JobCancelled():
                self.apply_to_job(event)
            case RunFinished():
                self._end(event.stopped, event.seconds)

    def _start(self, event: RunStarted) -> None:
        self.started = event
        self.jobs, self._index, self.trials = [], {}, 0
        self._begin(event.folder, (*event.remarks, *self._left_out(event.jobs)))
        self.add_jobs(event.jobs)

    def _left_out(self, jobs: Sequence[JobInfo]) -> tuple[str, ...]:
        missing = self.excluded - {job.case for job in jobs}  # a run that is resumed has all its jobs
        if not missing:
            return ()
        cases = ", ".join(sorted(missing))
        return (f"Left out, since they were excluded: {cases}. Run from the list of suites the suite is whole again.",)

    def apply_to_job(self, event: JobEvent) -> None:
        """Take in what is told of one job."""
        number = self._index.get(event.record.id if isinstance(event, JobFinished) else event.job)
        if number is None:
            return
        job = self.jobs[number]
        match event:
            case JobStarted():
                job.begin(event.prefill)
                self.newest = number
            case Delta():
                for arm in ARMS if event.arm == "both" else (event.arm,):
                    job.live[arm].add(event.text, event.tokens)
            case Forked():
                job.fork = event.fork
            case Broke():
                job.broke[event.arm] = event
            case JobFinished():
                self.finish(number, facts_of(event.record), event.record)
            case JobCancelled():
                self.cancelled += not (job.cancelled or job.trial)
                job.cancelled = True
                self.changed.add(number)


def _tallied(found: Sequence[ReplyFacts | None]) -> Iterator[tuple[ReplyFacts | None, int]]:
    """How often each is there. By identity, as equal ones are one object: their hashes would take longer."""
    by_identity = {id(facts): facts for facts in found}
    for key, times in Counter(map(id, found)).items():
        yield by_identity[key], times
