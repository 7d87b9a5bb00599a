"""The state of a run, updated by the engine's events. Does not import Textual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from typing_extensions import override

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
    """A run, built from its events or read from its folder, with the jobs of its trials."""

    label: ClassVar[str] = "run"

    labels: tuple[str, str] = ARMS
    """What the two replies of each job are called: the arms, or the two runs of a comparison."""
    started: RunStarted | None = None
    jobs: list[JobState] = field(default_factory=list)
    """In the order of the run. The jobs of trials come after all others and count in no rate."""
    newest: int | None = None
    """The number of the job that was started last."""
    done: int = 0
    cancelled: int = 0
    rates: dict[Arm, ArmRates] = field(default_factory=lambda: {arm: ArmRates() for arm in ARMS})
    clusters: dict[Arm, Clusters] = field(default_factory=lambda: {arm: Clusters() for arm in ARMS})
    """Of each arm, how many replies in the rates each case has."""
    excluded: set[str] = field(default_factory=set)
    """Cases that count in no rate, and that later runs leave out."""
    changed: set[int] = field(default_factory=set)
    """The numbers of the jobs that have ended since a reader last emptied the set."""
    fetch: Callable[[int], Record] | None = None
    """Reads the record of a job of a past run, given its place in the file."""
    unlisted: int = 0
    """How many more jobs a past run planned: there is no record of them."""
    resumed: bool = False
    """Whether it continues a run that was interrupted."""
    trials: int = 0
    """How many of the jobs belong to trials."""
    ended_trials: int = 0
    """How many of the trials' jobs are finished."""
    trial_running: bool = False
    _index: dict[str, int] = field(default_factory=dict)
    """The numbers of the jobs by their ids."""

    @property
    def total(self) -> int:
        """How many jobs the run has: those that were cancelled do not count."""
        return len(self.jobs) - self.trials + self.unlisted - self.cancelled

    @property
    def resumable(self) -> bool:
        """Whether missing jobs can be added to the run's folder."""
        return self.over and self.folder is not None and self.done < self.total

    @property
    def adapter(self) -> str | None:
        """The name of the adapter that answers; None for the base model."""
        return self.started.adapter if self.started is not None else None

    def over_for(self, job: JobState | None) -> bool:
        """Whether no more events of a job are expected, finished or not."""
        return self.over and not (self.trial_running and job is not None and job.trial)

    def add_jobs(self, infos: tuple[JobInfo, ...] | list[JobInfo], trial: bool = False) -> None:
        """Append jobs that are not started yet."""
        for number, info in enumerate(infos, len(self.jobs)):
            self.jobs.append(JobState(info, trial=trial))
            self._index[info.id] = number
            self.trials += trial

    def number_of(self, job: str) -> int | None:
        """The number of a job by its id."""
        return self._index.get(job)

    def add_finished(self, finished: Sequence[tuple[JobInfo, JobFacts]], trial: bool = False) -> None:
        """Append finished jobs of a past run."""
        jobs = [JobState(info, facts=facts, trial=trial) for info, facts in finished]
        self._index.update((job.info.id, number) for number, job in enumerate(jobs, len(self.jobs)))
        self.jobs += jobs
        self.trials += len(jobs) if trial else 0
        self.ended_trials += len(jobs) if trial else 0
        self.done += 0 if trial else len(jobs)
        self._count(jobs)

    def finish(self, number: int, facts: JobFacts, record: Record | None = None) -> None:
        """Record that a job is finished."""
        job = self.jobs[number]
        self.done += not (job.finished or job.trial)
        self.ended_trials += job.trial and not job.finished
        job.finish(facts, record)
        self.changed.add(number)
        self._count([job])

    def _count(self, jobs: Sequence[JobState]) -> None:
        """Add the replies of those jobs that count to the rates."""
        counted = [(job.facts, job.info.case) for job in jobs if job.facts is not None and self.counts(job)]
        for arm in ARMS:
            replies = [facts.of(arm) for facts, _ in counted]
            for reply, times in _tally(replies):
                self.rates[arm].add(reply, times)
            cases = (case for (_, case), reply in zip(counted, replies, strict=True) if reply is not None)
            self.clusters[arm].add(*cases)

    def counts(self, job: JobState) -> bool:
        """Whether a job counts in the rates of the run."""
        return not job.trial and job.info.case not in self.excluded

    def exclude(self, case: str) -> bool:
        """Exclude a case from the rates, or include it again. Returns whether it is excluded now."""
        self.excluded ^= {case}
        self.rates = {arm: ArmRates() for arm in ARMS}
        self.clusters = {arm: Clusters() for arm in ARMS}
        self._count(self.jobs)
        self.changed.update(number for number, job in enumerate(self.jobs) if job.info.case == case)
        self.revision += 1
        return case in self.excluded

    def load(self, job: JobState) -> None:
        """Load the record of a finished job. Raises OSError or ValueError if its file has changed."""
        if job.record is None and job.facts is not None and job.facts.place is not None and self.fetch is not None:
            record = self.fetch(job.facts.place)
            if record.id != job.info.id:
                raise ValueError(f"the record of {record.id} stands where that of {job.info.id} was")
            job.attach(record)

    @override
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
        missing = self.excluded - {job.case for job in jobs}  # a resumed run has all its jobs
        if not missing:
            return ()
        cases = ", ".join(sorted(missing))
        return (f"Left out, since they were excluded: {cases}. Run from the list of suites the suite is whole again.",)

    def apply_to_job(self, event: JobEvent) -> None:
        """Update a job by an event."""
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


def _tally(replies: Sequence[ReplyFacts | None]) -> Iterator[tuple[ReplyFacts | None, int]]:
    """How often each occurs. By identity, as equal facts are one object: hashing them would take longer."""
    by_identity = {id(facts): facts for facts in replies}
    for key, times in Counter(map(id, replies)).items():
        yield by_identity[key], times
