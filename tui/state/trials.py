"""Trials beside a run: an edited prompt, or a job with another seed. What is told of them goes into its jobs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, TypeAlias

from engine.errors import BadInputError
from engine.protocol.commands import StartTrial, TrialInput
from engine.protocol.events import (
    Broke,
    Delta,
    Event,
    Forked,
    JobCancelled,
    JobFinished,
    JobStarted,
    RunFinished,
    RunStarted,
)
from engine.statistics import Paired
from tui.state.job import JobState, Mark
from tui.state.run import RunState
from tui.state.task import EngineDied, EngineTask

_TIMES = "*"  # between the name of a prompt and the number of its edited version
_NOT_IN_FILES = ("about", "source", "json_schema")


@dataclass(slots=True)
class TrialState(EngineTask):
    """A trial as its events tell it. beside: the run whose list its jobs stand in, after all others.

    planned, finished: jobs. other_model: the one it runs on, where that is not the run's.
    """

    label: ClassVar[str] = "trial"

    beside: RunState = None  # type: ignore[assignment]  # dataclasses want a default after those of Work
    order: StartTrial = None  # type: ignore[assignment]
    planned: int = 0
    finished: int = 0
    other_model: str | None = None

    def apply(self, event: Event | EngineDied) -> None:
        """Take in what the engine says."""
        super(TrialState, self).apply(event)
        self._tell()

    def fail(self, message: str, log: tuple[str, ...] = ()) -> None:
        """It cannot go on."""
        super(TrialState, self).fail(message, log)
        self._tell()

    def stop(self) -> None:
        """It has ended, though the engine has not said so."""
        super(TrialState, self).stop()
        self._tell()

    def _tell(self) -> None:
        """Have the run's screen draw it."""
        self.beside.trying = not self.over
        self.beside.revision += 1

    def _apply_own(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.planned = len(event.jobs)
                self._begin(event.folder, event.remarks)
                known = self.beside.started.model if self.beside.started else event.model
                self.other_model = event.model if event.model != known else None
                self.beside.add_jobs(event.jobs, trial=True)
            case JobStarted() | Delta() | Forked() | Broke() | JobFinished() | JobCancelled():
                self.finished += isinstance(event, JobFinished)
                self.planned -= isinstance(event, JobCancelled)
                self.beside.apply_to_job(event)
            case RunFinished():
                self._end(event.stopped, event.seconds)


class Scope(Enum):
    """What an edited prompt is tried on. The value is what people read."""

    BROKEN = "broken cases"
    FILTER = "the filter's jobs"
    ALL = "all cases"


Key: TypeAlias = tuple[str, str | None, int]
"""An input: case, variation and repeat."""


def inputs_for(scope: Scope, prompt: str, state: RunState, shown: Iterable[int]) -> tuple[TrialInput, ...]:
    """The inputs that a scope comes to, each once, without those of excluded cases. shown: what the list shows.

    Only inputs of the run itself: a job that was run once more has a repeat and a seed of its own, see next_repeat.
    """
    if scope is Scope.FILTER:
        jobs: Iterable[JobState] = (state.jobs[number] for number in shown)
    else:
        jobs = (job for job in state.jobs if job.info.prompt == prompt and (scope is Scope.ALL or job.broken))
    own = {_key(job) for job in state.jobs if not job.trial}
    keys = dict.fromkeys(key for key in map(_key, jobs) if key in own and key[0] not in state.excluded)
    return tuple(TrialInput(*key) for key in keys)


def next_name(prompt: str, taken: Iterable[str]) -> str:
    """What the edited version of a prompt is called: naive*2, or naive*3 where there is one; naive*2*2 of naive*2."""
    names, number = set(taken), 2
    while f"{prompt}{_TIMES}{number}" in names:
        number += 1
    return f"{prompt}{_TIMES}{number}"


def original_of(prompt: str) -> str:
    """The name of the prompt that one was edited from; its own where it was not."""
    name, _, number = prompt.rpartition(_TIMES)
    return name if name and number.isdigit() else prompt


def next_repeat(job: JobState, state: RunState) -> int:
    """A number for one more repeat of a job, which no prompt has of this input: it is to be paired with none."""
    wanted = _key(job)[:2]
    return 1 + max(other.info.repeat for other in state.jobs if _key(other)[:2] == wanted)


def paired_results(state: RunState, prompt: str) -> Paired:
    """Whether each free reply is ok: first under the prompt that this one was edited from, then under this one.

    Pairs are the inputs that both have answered, word for word the same.
    """
    original, paired = original_of(prompt), Paired()
    before: dict[Key, JobState] = {}
    after: list[JobState] = []
    for job in state.jobs:
        if job.verdict("free") is not None and job.info.case not in state.excluded:
            if job.info.prompt == prompt:
                after.append(job)
            elif job.info.prompt == original:
                before[_key(job)] = job
    for job in after:
        former = before.get(_key(job))
        if former is not None and former.info.input == job.info.input:
            paired.add(former.mark("free") is Mark.OK, job.mark("free") is Mark.OK, job.info.case)
    return paired


def trial_prompts(state: RunState) -> list[str]:
    """The names of the edited prompts, in the order in which they were tried."""
    trials = state.jobs[len(state.jobs) - state.trials :]
    names = dict.fromkeys(job.info.prompt for job in trials)
    return [name for name in names if original_of(name) != name]


def prompt_table(state: RunState, name: str, tried: Iterable[TrialState]) -> dict[str, Any]:
    """A prompt as a [[prompt]] table: of the suite, or of a trial. Reads files: not for the path of a key.

    Raises BadInputError where the suite does not load, and where there is no such prompt any more.
    """
    from engine.suites.suite import load_suite

    for trial in tried:
        if isinstance(trial.order.prompt, dict) and trial.order.prompt["name"] == name:
            return trial.order.prompt
    prompts = [prompt.model_dump(mode="json") for prompt in load_suite(state.suite).prompts]
    for prompt in (*prompts, *_tried_before(state)):
        if prompt["name"] == name:
            return _table(prompt)
    raise BadInputError(f"{state.suite}: the suite has no prompt of the name {name} any more.")


def _tried_before(state: RunState) -> Iterator[dict[str, Any]]:
    """The prompts of the trials in folders beside the run's, as their manifests have them."""
    from engine.runs.listing import trials_of
    from engine.runs.store import MANIFEST

    for folder in trials_of(state.folder) if state.folder is not None else ():
        try:
            yield from json.loads((folder / MANIFEST).read_bytes())["prompts"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a trial of which nothing is known any more cannot be edited further


def _table(prompt: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that a suite's file has, without those that are not set."""
    table = {key: value for key, value in prompt.items() if key not in _NOT_IN_FILES and value not in (None, [], {})}
    schema = prompt.get("json_schema")
    return table if schema is None else {**table, "schema": schema}


def _key(job: JobState) -> Key:
    return job.info.case, job.info.variation, job.info.repeat
