"""A decoded job → its record: what the judge says of each reply, and all that the record keeps of the job."""

from __future__ import annotations

import json
from collections.abc import Mapping

from engine.decoding.lanes import LaneResult
from engine.jobs import Job
from engine.judging.compare import Rule
from engine.judging.judge import Judge
from engine.judging.thoughts import blank_thoughts
from engine.records import Fork, Record, Reply


class Recorder:
    """Judges the replies of one suite's jobs, with one judge for each schema."""

    def __init__(self, suite: str, compare: Mapping[str, Rule]) -> None:
        """suite: its name. compare: by path, how expected values are compared."""
        self._suite, self._compare = suite, compare
        self._judges: dict[str, Judge] = {}

    def reply(self, lane: LaneResult, job: Job) -> Reply:
        """What an arm has said, judged. Of a job that thinks only what follows is."""
        key = json.dumps(job.schema)
        judge = self._judges.get(key) or self._judges.setdefault(key, Judge(job.schema, self._compare))
        text = blank_thoughts(lane.text, job.think_close) if job.think_close else lane.text
        verdict = judge.judge(text, lane.finish, job.expected)
        return Reply(lane.text, lane.tokens, lane.finish, None, verdict, round(lane.seconds, 3))

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
        )


def not_decoded(reason: str) -> Reply:
    """An arm that was not decoded, and why."""
    return Reply(text="", tokens=(), finish="error", error=reason, verdict=None, seconds=0.0)
