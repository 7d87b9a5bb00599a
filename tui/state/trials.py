"""Trials next to a run: an edited prompt, or a job with another seed. Their jobs are appended to those of the run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, TypeAlias

from typing_extensions import override

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
from tui.state.task import EngineTask

_VERSION_MARK = "*"  # between the name of a prompt and the number of its edited version
_NOT_IN_FILES = ("about", "source", "json_schema")


@dataclass(slots=True, kw_only=True)
class TrialState(EngineTask):
    """A trial, built from its events."""

    label: ClassVar[str] = "trial"

    run: RunState
    """The run whose list shows the trial's jobs, after all its own."""
    command: StartTrial
    planned: int = 0
    """Jobs to decode: those that were cancelled do not count."""
    finished: int = 0
    """Jobs decoded and judged."""
    other_model: str | None = None
    """The model that answers, if it is not the run's."""

    @override
    def _changed(self) -> None:
        # The run's screen draws the trial too. (No super(): slots=True makes a second class, which super() misses.)
        self.revision += 1
        self.run.trial_running = not self.over
        self.run.revision += 1

    @override
    def _apply_own(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.planned = len(event.jobs)
                self._begin(event.folder, event.remarks)
                known = self.run.started.model if self.run.started else event.model
                self.other_model = event.model if event.model != known else None
                self.run.add_jobs(event.jobs, trial=True)
            case JobStarted() | Delta() | Forked() | Broke() | JobFinished() | JobCancelled():
                self.finished += isinstance(event, JobFinished)
                self.planned -= isinstance(event, JobCancelled)
                self.run.apply_to_job(event)
            case RunFinished():
                self._end(event.stopped, event.seconds)


class Scope(Enum):
    """What an edited prompt is tried on. The value is the label users see."""

    BROKEN = "broken cases"
    FILTER = "the filter's jobs"
    ALL = "all cases"


Key: TypeAlias = tuple[str, str | None, int]
"""An input: case, variation and repeat."""


def inputs_for(scope: Scope, prompt: str, state: RunState, listed: Iterable[int]) -> tuple[TrialInput, ...]:
    """The inputs of a scope, each once, without those of excluded cases. listed: the jobs that the list shows.

    Only inputs of the run itself: a job that was run once more has a repeat and a seed of its own, see next_repeat.
    """
    if scope is Scope.FILTER:
        jobs: Iterable[JobState] = (state.jobs[number] for number in listed)
    else:
        jobs = (job for job in state.jobs if job.info.prompt == prompt and (scope is Scope.ALL or job.broken))
    own = {_key(job) for job in state.jobs if not job.trial}
    keys = dict.fromkeys(key for key in map(_key, jobs) if key in own and key[0] not in state.excluded)
    return tuple(TrialInput(*key) for key in keys)


def next_name(prompt: str, taken: Iterable[str]) -> str:
    """The name of a prompt's next edited version: naive*2, or naive*3 if that is taken; naive*2*2 for naive*2."""
    names, number = set(taken), 2
    while f"{prompt}{_VERSION_MARK}{number}" in names:
        number += 1
    return f"{prompt}{_VERSION_MARK}{number}"


def original_of(prompt: str) -> str:
    """The name of the prompt that one was edited from; its own name if it was not edited."""
    name, _, number = prompt.rpartition(_VERSION_MARK)
    return name if name and number.isdigit() else prompt


def next_repeat(job: JobState, state: RunState) -> int:
    """The number of one more repeat of a job: no prompt has it for this input, so that it is paired with no reply."""
    wanted = _key(job)[:2]
    return 1 + max(other.info.repeat for other in state.jobs if _key(other)[:2] == wanted)


def paired_results(state: RunState, prompt: str) -> Paired:
    """Whether free replies are ok: first under the prompt that this one was edited from, then under this one.

    Paired are the inputs that both prompts have answered, if they are the same word for word.
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
    """A prompt as a [[prompt]] table: of the suite, or of a trial. Reads files, so call it from a thread.

    Raises BadInputError if the suite does not load, and if the prompt no longer exists.
    """
    from engine.suites.suite import load_suite

    for trial in tried:
        if isinstance(trial.command.prompt, dict) and trial.command.prompt["name"] == name:
            return trial.command.prompt
    prompts = [prompt.model_dump(mode="json") for prompt in load_suite(state.suite).prompts]
    for prompt in (*prompts, *_tried_before(state)):
        if prompt["name"] == name:
            return _table(prompt)
    raise BadInputError(f"{state.suite}: the suite no longer has a prompt of the name {name}.")


def _tried_before(state: RunState) -> Iterator[dict[str, Any]]:
    """The prompts of the run's earlier trials, from the manifests in their folders."""
    from engine.runs.listing import trials_of
    from engine.runs.store import MANIFEST

    for folder in trials_of(state.folder) if state.folder is not None else ():
        try:
            yield from json.loads((folder / MANIFEST).read_bytes())["prompts"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # without its manifest a trial cannot be edited further


def _table(prompt: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that a suite file may have, without those that are not set."""
    table = {key: value for key, value in prompt.items() if key not in _NOT_IN_FILES and value not in (None, [], {})}
    schema = prompt.get("json_schema")
    return table if schema is None else {**table, "schema": schema}


def _key(job: JobState) -> Key:
    return job.info.case, job.info.variation, job.info.repeat
