"""What the screen shows of a run: plain data that the engine's events are applied to. Knows nothing of Textual."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from engine.events import (
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
from engine.records import ARMS, Arm, Fork, Record, Reply
from engine.runs.rates import ArmRates
from tui.work import Work


class Mark(Enum):
    """The state of one reply: its one-glance mark, never told by colour alone."""

    WAITING = "--"
    RUNNING = ".."
    BREAKING = ".!"
    OK = "ok"
    BROKEN = "!!"
    ERROR = "xx"
    CANCELLED = "~~"

    @property
    def pending(self) -> bool:
        """Whether the reply is not decided yet."""
        return self in (Mark.WAITING, Mark.RUNNING, Mark.BREAKING)


@dataclass(slots=True)
class LiveText:
    """A text that grows by pieces; joined only when somebody looks."""

    _parts: list[str] = field(default_factory=list)
    tokens: int = 0

    def add(self, text: str, tokens: int = 0) -> None:
        """Append a piece."""
        self._parts.append(text)
        self.tokens += tokens

    @property
    def text(self) -> str:
        """All of it so far."""
        if len(self._parts) > 1:
            self._parts[:] = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""


@dataclass(slots=True)
class JobState:
    """A job as far as it has come: live texts while it runs, the record once it is finished.

    starts: how often it was begun; beginning again voids what it had said. broke: where a reply that still runs has
    stopped being the beginning of any that is right.
    """

    info: JobInfo
    starts: int = 0
    cancelled: bool = False
    live: dict[Arm, LiveText] = field(default_factory=lambda: {arm: LiveText() for arm in ARMS})
    broke: dict[Arm, Broke] = field(default_factory=dict)
    fork: Fork | None = None
    record: Record | None = None

    @property
    def started(self) -> bool:
        """Whether it has been begun, finished or not."""
        return self.starts > 0

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.cancelled or self.record is not None

    def begin(self, prefill: str) -> None:
        """It got its row, maybe not for the first time. `prefill` is how both replies begin."""
        self.starts += 1
        self.fork = None
        self.broke.clear()
        self.live = {arm: LiveText() for arm in ARMS}
        for live in self.live.values():
            live.add(prefill)

    def reply(self, arm: Arm) -> Reply | None:
        """The finished reply of an arm, None until the job is finished."""
        return self.record.reply(arm) if self.record else None

    def text(self, arm: Arm) -> str:
        """What an arm has said so far."""
        return self.record.reply(arm).text if self.record else self.live[arm].text

    def tokens(self, arm: Arm) -> int:
        """How many tokens an arm has so far."""
        return len(self.record.reply(arm).tokens) if self.record else self.live[arm].tokens

    def mark(self, arm: Arm) -> Mark:
        """The state of an arm's reply."""
        reply = self.reply(arm)
        if self.cancelled:
            return Mark.CANCELLED
        if reply is None and self.started:
            return Mark.BREAKING if arm in self.broke else Mark.RUNNING
        if reply is None:
            return Mark.WAITING
        if reply.verdict is None:
            return Mark.ERROR
        return Mark.OK if reply.verdict.ok else Mark.BROKEN

    @property
    def broken(self) -> bool:
        """Whether the free reply was judged and is not what was asked for."""
        return self.mark("free") is Mark.BROKEN


@dataclass(slots=True)
class RunState(Work):
    """A run as its events tell it."""

    started: RunStarted | None = None
    jobs: list[JobState] = field(default_factory=list)
    newest: int | None = None
    done: int = 0
    cancelled: int = 0
    rates: dict[Arm, ArmRates] = field(default_factory=lambda: {arm: ArmRates() for arm in ARMS})
    finished: RunFinished | None = None
    _index: dict[str, int] = field(default_factory=dict)

    @property
    def noun(self) -> str:
        """What people call it."""
        return "run"

    @property
    def total(self) -> int:
        """How many jobs there are to finish: those that were cancelled do not count."""
        return len(self.jobs) - self.cancelled

    @property
    def folder(self) -> Path | None:
        """The run's folder, once it exists."""
        return self.started.folder if self.started else None

    @property
    def seconds(self) -> float | None:
        """How long it took, once it has ended."""
        return self.finished.seconds if self.finished else None

    def _apply_own(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._start(event)
            case JobStarted() | Delta() | Forked() | Broke() | JobFinished() | JobCancelled():
                self._apply_to_job(event)
            case RunFinished():
                self.finished = event
                self._end(event.stopped)

    def _start(self, event: RunStarted) -> None:
        self.started = event
        self.jobs = [JobState(info) for info in event.jobs]
        self._index = {info.id: number for number, info in enumerate(event.jobs)}
        self._begin(event.remarks)

    def _apply_to_job(self, event: JobStarted | Delta | Forked | Broke | JobFinished | JobCancelled) -> None:
        name = event.record.id if isinstance(event, JobFinished) else event.job
        number = self._index.get(name)
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
                self._finish(job, event.record)
            case JobCancelled():
                self.cancelled += not job.cancelled
                job.cancelled = True

    def _finish(self, job: JobState, record: Record) -> None:
        job.record, job.fork = record, record.fork
        job.live.clear()
        job.broke.clear()
        self.done += 1
        for arm in ARMS:
            self.rates[arm].add(record.reply(arm).verdict)
