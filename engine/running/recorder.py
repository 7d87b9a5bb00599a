"""From a decoded job to its record: the verdict on each reply, and what is stored of the job."""

from __future__ import annotations

from collections.abc import Mapping

from engine.backends import ArmResult
from engine.judging.compare import Rule, cursor_of
from engine.judging.judge import Judge
from engine.judging.unwrap import LocatedValue, read
from engine.judging.values import differences
from engine.judging.wrappers import blank_thoughts
from engine.per_schema import SchemaCache
from engine.records import Fork, Record, Reply
from engine.suites.jobs import Job


class Recorder:
    """Judges the replies of one suite's jobs, with one judge per schema."""

    def __init__(self, suite: str, compare: Mapping[str, Rule]) -> None:
        """suite: its name. compare: by path, how expected values are compared."""
        self._suite, self._cursor = suite, cursor_of(compare)
        self._judges = SchemaCache(lambda schema: Judge(schema, compare))

    def reply(self, arm: ArmResult, job: Job) -> Reply:
        """The reply of a finished arm, judged. Of a thinking job only what follows the thoughts is."""
        verdict = self._judges(job.schema).judge(_judged(arm.text, job), arm.finish, job.expected)
        return Reply(arm.text, arm.tokens, arm.finish, None, verdict, round(arm.seconds, 3), arm.p, arm.ends)

    def record(self, job: Job, free: Reply, constrained: Reply, fork: Fork | None = None) -> Record:
        """The record of a job."""
        return Record(
            id=job.id,
            suite=self._suite,
            prompt=job.prompt,
            case=job.case,
            variation=job.variation,
            repeat=job.repeat,
            seed=job.seed,
            input=job.input,
            messages=job.messages,
            expected=job.expected,
            free=free,
            constrained=constrained,
            fork=fork,
            agree=self._agree(job, free, constrained),
            tags=job.tags,
        )

    def _agree(self, job: Job, free: Reply, constrained: Reply) -> bool | None:
        """Whether the values of both replies are the same; None where a reply has none."""
        one, other = (_value(reply, job) for reply in (free, constrained))
        if one is None or other is None:
            return None
        return next(differences(one.value, other.value, self._cursor), None) is None


def _value(reply: Reply, job: Job) -> LocatedValue | None:
    """The value that the judge found in a reply."""
    return None if reply.finish == "error" else read(_judged(reply.text, job), reply.finish).found


def _judged(text: str, job: Job) -> str:
    """The part of a reply that is judged, at the same offsets."""
    return blank_thoughts(text, job.think_close) if job.think_close else text


def not_decoded(reason: str) -> Reply:
    """The reply of an arm that was not decoded. reason: why not, a sentence."""
    return Reply(text="", tokens=(), finish="error", error=reason, verdict=None, seconds=0.0)
