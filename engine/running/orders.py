"""Resolves a StartRun or StartTrial command into a suite and its jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.errors import BadInputError
from engine.protocol.commands import GrammarKind, StartRun, StartTrial, TrialInput
from engine.runs.resuming import resumable_manifest
from engine.suites.jobs import Job, inputs_of, job_of, jobs_of
from engine.suites.suite import Suite, add_prompt, load_suite
from engine.suites.tables import Generation, Prompt
from engine.text import printable, short_json


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run consists of: in the end each of its jobs has a record."""

    suite: Suite
    jobs: list[Job]
    selection: Mapping[str, Any]
    """Which of the suite's jobs these are, for the manifest."""
    grammar: GrammarKind
    resume: Path | None = None
    """The run that has some of the records already."""
    trial_of: Path | None = None
    """The run that this one is a trial of."""
    adapter: str | None = None
    """The adapter's name, None for the model alone."""


def resolve(command: StartRun | StartTrial) -> RunPlan:
    """The run that a command asks for. Raises BadInputError with what is wrong with it."""
    if isinstance(command, StartTrial):
        return _trial(command)
    if command.resume is not None:
        resumable_manifest(command.resume)  # raises before a model is loaded in vain
    suite = load_suite(command.suite)
    jobs = jobs_of(suite, command.prompts, command.cases, command.limit, command.without)
    if not jobs:
        raise BadInputError(f"{printable(str(command.suite))}: no job is left to run; leave out fewer cases.")
    # Sorted, since jobs are in the suite's order however they are asked for: the same jobs are the same selection.
    names = {"prompts": command.prompts, "cases": command.cases, "without": command.without}
    selection = {key: sorted(set(value)) for key, value in names.items()} | {"limit": command.limit}
    return RunPlan(suite, jobs, selection, command.grammar, resume=command.resume, adapter=command.adapter)


def _trial(command: StartTrial) -> RunPlan:
    suite = _with_generation(load_suite(command.suite), command.temperature)
    if isinstance(command.prompt, str):
        prompt = _named(suite, command.prompt)
    else:
        suite = add_prompt(suite, command.prompt)
        prompt = suite.prompts[-1]
    if not command.inputs:
        raise BadInputError("There is nothing to try the prompt on; choose some jobs.")
    inputs = inputs_of(suite, {each.case for each in command.inputs})
    jobs = [_job(suite, prompt, each, inputs, command) for each in command.inputs]
    jobs = list({job.id: job for job in jobs}.values())  # with `repeat`, two inputs may come to one job
    selection = {"inputs": [asdict(each) for each in command.inputs], "seed": command.seed, "repeat": command.repeat}
    suite = suite.model_copy(update={"prompts": (prompt,)})
    return RunPlan(suite, jobs, selection, command.grammar, trial_of=command.of, adapter=command.adapter)


def _job(
    suite: Suite,
    prompt: Prompt,
    each: TrialInput,
    inputs: Mapping[str, Mapping[str | None, str]],
    command: StartTrial,
) -> Job:
    case = next((case for case in suite.cases if case.id == each.case), None)
    if case is None or each.variation not in inputs[case.id]:
        what = each.case if each.variation is None else f"{each.case}~{each.variation}"
        place = printable(str(suite.path))
        raise BadInputError(f"{place}: the suite has no input {short_json(what)} any more; run the suite again.")
    repeat = each.repeat if command.repeat is None else command.repeat
    job = job_of(suite, prompt, case, each.variation, inputs[case.id][each.variation], repeat)
    return job if command.seed is None else replace(job, seed=command.seed)


def _named(suite: Suite, name: str) -> Prompt:
    found = [prompt for prompt in suite.prompts if prompt.name == name]
    if not found:
        raise BadInputError(f"{printable(str(suite.path))}: the suite has no prompt {short_json(name)} any more.")
    return found[0]


def _with_generation(suite: Suite, temperature: float | None) -> Suite:
    if temperature is None:
        return suite
    try:
        generation = Generation.model_validate({**suite.generation.model_dump(), "temperature": float(temperature)})
    except ValidationError as error:
        raise BadInputError(f"The temperature {temperature} cannot be used: {error.errors()[0]['msg']}.") from None
    return suite.model_copy(update={"generation": generation})
