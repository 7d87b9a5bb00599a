"""What an order comes to: the suite, and which of its jobs."""

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
    """The jobs to have records of in the end, and how the manifest tells which of the suite's they are.

    grammar: what turns schemas into masks. resume: the run that has some of them already. trial_of: the run that this
    one is a trial beside. adapter: the name of the one that is to answer, None for the model alone.
    """

    suite: Suite
    jobs: list[Job]
    selection: Mapping[str, Any]
    grammar: GrammarKind
    resume: Path | None = None
    trial_of: Path | None = None
    adapter: str | None = None


def resolve(order: StartRun | StartTrial) -> RunPlan:
    """Raises BadInputError with what is wrong with the order."""
    if isinstance(order, StartTrial):
        return _trial(order)
    if order.resume is not None:
        resumable_manifest(order.resume)  # before a model is loaded for nothing
    suite = load_suite(order.suite)
    jobs = jobs_of(suite, order.prompts, order.cases, order.limit, order.without)
    if not jobs:
        raise BadInputError(f"{printable(str(order.suite))}: no job is left to run; leave out fewer cases.")
    # Sorted, since jobs are in the suite's order however they are asked for: the same jobs are the same selection.
    names = {"prompts": order.prompts, "cases": order.cases, "without": order.without}
    selection = {key: sorted(set(value)) for key, value in names.items()} | {"limit": order.limit}
    return RunPlan(suite, jobs, selection, order.grammar, resume=order.resume, adapter=order.adapter)


def _trial(order: StartTrial) -> RunPlan:
    suite = _with_generation(load_suite(order.suite), order.temperature)
    if isinstance(order.prompt, str):
        prompt = _named(suite, order.prompt)
    else:
        suite = add_prompt(suite, order.prompt)
        prompt = suite.prompts[-1]
    if not order.inputs:
        raise BadInputError("There is nothing to try the prompt on; choose some jobs.")
    inputs = inputs_of(suite, {each.case for each in order.inputs})
    jobs = [_job(suite, prompt, each, inputs, order) for each in order.inputs]
    jobs = list({job.id: job for job in jobs}.values())  # with `repeat`, two inputs may come to one job
    selection = {"inputs": [asdict(each) for each in order.inputs], "seed": order.seed, "repeat": order.repeat}
    suite = suite.model_copy(update={"prompts": (prompt,)})
    return RunPlan(suite, jobs, selection, order.grammar, trial_of=order.of, adapter=order.adapter)


def _job(
    suite: Suite,
    prompt: Prompt,
    each: TrialInput,
    inputs: Mapping[str, Mapping[str | None, str]],
    order: StartTrial,
) -> Job:
    case = next((case for case in suite.cases if case.id == each.case), None)
    if case is None or each.variation not in inputs[case.id]:
        what = each.case if each.variation is None else f"{each.case}~{each.variation}"
        place = printable(str(suite.path))
        raise BadInputError(f"{place}: the suite has no input {short_json(what)} any more; run the suite again.")
    repeat = each.repeat if order.repeat is None else order.repeat
    job = job_of(suite, prompt, case, each.variation, inputs[case.id][each.variation], repeat)
    return job if order.seed is None else replace(job, seed=order.seed)


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
