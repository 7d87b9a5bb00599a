"""The state of one job: live texts while it runs, its facts and its record once it is finished."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from engine.judging.verdict import FailureClass
from engine.protocol.events import Broke, JobInfo
from engine.records import ARMS, Arm, Fork, Record, Reply
from engine.runs.job_facts import JobFacts, ReplyFacts
from tui.text.safe import one_line


def case_name(info: JobInfo) -> str:
    """The case of a job, with its variation and its repeat if it has them: "alice~typos#1"."""
    name = one_line(info.case) + (f"~{one_line(info.variation)}" if info.variation else "")
    return f"{name}#{info.repeat}" if info.repeat else name


def job_name(info: JobInfo) -> str:
    """Prompt and case: "json-only  alice~typos"."""
    return f"{one_line(info.prompt)}  {case_name(info)}"


class Mark(Enum):
    """The state of one reply. The value is its mark on the screen, so that no state is shown by colour alone."""

    WAITING = "--"
    RUNNING = ".."
    BREAKING = ".!"
    OK = "ok"
    BROKEN = "!!"
    ERROR = "xx"
    CANCELLED = "~~"

    @property
    def pending(self) -> bool:
        """Whether the reply is not finished yet."""
        return self in (Mark.WAITING, Mark.RUNNING, Mark.BREAKING)


@dataclass(slots=True)
class LiveText:
    """A text that grows by pieces; they are joined only when it is read."""

    _parts: list[str] = field(default_factory=list)
    tokens: int = 0

    def add(self, text: str, tokens: int = 0) -> None:
        """Append a piece."""
        self._parts.append(text)
        self.tokens += tokens

    @property
    def text(self) -> str:
        """The whole text so far."""
        if len(self._parts) > 1:
            self._parts[:] = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""


@dataclass(slots=True)
class JobState:
    """A job and its progress."""

    info: JobInfo
    starts: int = 0
    """How often it was started: a job that starts again drops what it had generated."""
    cancelled: bool = False
    live: dict[Arm, LiveText] = field(default_factory=dict)
    """The texts while it runs."""
    broke: dict[Arm, Broke] = field(default_factory=dict)
    """Where a running reply has stopped being a prefix of any valid one."""
    fork: Fork | None = None
    facts: JobFacts | None = None
    """The verdicts, once it is finished."""
    record: Record | None = None
    """All of it, once it is finished; of a past run None until it is loaded (see RunState.load)."""
    trial: bool = False
    """Whether it belongs to a trial, not to the run itself."""

    @property
    def started(self) -> bool:
        """Whether it was started, finished or not."""
        return self.starts > 0 or self.finished

    @property
    def finished(self) -> bool:
        """Whether it has a record, in memory or on disk."""
        return self.facts is not None

    @property
    def over(self) -> bool:
        """Whether no more events of it are expected."""
        return self.cancelled or self.finished

    def begin(self, prefill: str) -> None:
        """Start it, or start it again. Both replies begin with `prefill`."""
        self.starts += 1
        self.fork = None
        self.broke = {}
        self.live = {arm: LiveText() for arm in ARMS}
        for live in self.live.values():
            live.add(prefill)

    def finish(self, facts: JobFacts, record: Record | None) -> None:
        """Record that it is decoded and judged. The live texts are dropped."""
        self.facts, self.live, self.broke = facts, {}, {}
        if record is not None:
            self.attach(record)

    def attach(self, record: Record) -> None:
        """Attach the loaded record."""
        self.record, self.fork = record, record.fork

    def verdict(self, arm: Arm) -> ReplyFacts | None:
        """The verdict on an arm's reply; None while there is none, and if the reply was not decoded."""
        return self.facts.of(arm) if self.facts else None

    def reply(self, arm: Arm) -> Reply | None:
        """The whole reply of an arm, None if the record is not loaded."""
        return self.record.reply(arm) if self.record else None

    def text(self, arm: Arm) -> str:
        """The text of an arm so far; empty if it is finished and the record is not loaded."""
        if self.record:
            return self.record.reply(arm).text
        return self.live[arm].text if arm in self.live else ""

    def tokens(self, arm: Arm) -> int:
        """How many tokens an arm has so far; 0 if it is finished and the record is not loaded."""
        if self.record:
            return len(self.record.reply(arm).tokens)
        return self.live[arm].tokens if arm in self.live else 0

    def mark(self, arm: Arm) -> Mark:
        """The state of an arm's reply."""
        if self.cancelled:
            return Mark.CANCELLED
        if self.facts is None:
            if not self.starts:
                return Mark.WAITING
            return Mark.BREAKING if arm in self.broke else Mark.RUNNING
        verdict = self.facts.of(arm)
        if verdict is None:
            return Mark.ERROR
        return Mark.OK if verdict.ok else Mark.BROKEN

    @property
    def broken(self) -> bool:
        """Whether the free reply was judged and is not ok."""
        return self.mark("free") is Mark.BROKEN


def primary_class(job: JobState) -> FailureClass | None:
    """The first class of the free reply if that is broken, else of the constrained one; None if neither is."""
    if job.facts is None or job.cancelled:
        return None
    broken = [facts for facts in (job.facts.free, job.facts.constrained) if facts is not None and not facts.ok]
    return broken[0].classes[0] if broken else None


def describe_no_alike(failure: FailureClass | None) -> str:
    """Why no other job is broken in the same way as the selected one."""
    if failure is None:
        return "Neither reply of this job is broken: it has no class to look for."
    return f"No other job shown is broken by {failure}."
