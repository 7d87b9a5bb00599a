"""The jobs of a suite: what is decoded, in which order."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from engine.records import Message
from engine.suites.faults import SuiteError
from engine.suites.messages import chat_messages
from engine.suites.suite import Suite
from engine.suites.tables import Case, Prompt
from engine.text import did_you_mean, short_json
from engine.variations import Rewriter


@dataclass(frozen=True, slots=True)
class Job:
    """One input under one prompt, decoded in both arms."""

    id: str
    """ "suite/prompt/case#repeat" or "suite/prompt/case~variation#repeat", unique in a run."""
    prompt: str
    case: str
    variation: str | None
    """None for the case's input as the suite has it."""
    repeat: int
    seed: int
    """For sampling; different for each input."""
    input: str
    messages: tuple[Message, ...]
    prefill: str
    """The beginning of the reply, given to the model; "" for none."""
    schema: dict[str, Any]
    """The JSON Schema that replies must satisfy."""
    expected: Any
    """None where nothing is expected."""
    tags: tuple[str, ...]
    template_kwargs: dict[str, Any] = field(default_factory=dict)
    """Variables for the chat template."""
    think_close: str | None = None
    """The tag up to which both arms think; None where the reply begins at once."""
    think_budget: int = 0
    """The most tokens of thinking."""


def jobs_of(
    suite: Suite,
    prompts: Collection[str] = (),
    cases: Collection[str] = (),
    limit: int | None = None,
    without: Collection[str] = (),
) -> list[Job]:
    """The jobs of a suite in its own order: by prompt, then case, then variation (the original first), then repeat.

    prompts, cases: the names to keep; empty keeps all. without: cases to leave out, which need not exist.
    limit: keep only this many jobs, the first ones. Raises SuiteError for an unknown name and for a limit below 1.
    """
    if limit is not None and limit < 1:
        raise SuiteError(f"{suite.path}: the limit must be at least 1, not {limit}; leave it out to run every job")
    _refuse_unknown(suite, "prompt", prompts, [prompt.name for prompt in suite.prompts])
    _refuse_unknown(suite, "case", cases, [case.id for case in suite.cases])
    inputs = inputs_of(suite, cases)
    jobs = (
        job_of(suite, prompt, case, variation, text, repeat)
        for prompt in suite.prompts
        if not prompts or prompt.name in prompts
        for case in suite.cases
        if (not cases or case.id in cases) and case.id not in without
        for variation, text in inputs[case.id].items()
        for repeat in range(suite.generation.repeats)
    )
    return list(islice(jobs, limit))


def inputs_of(suite: Suite, cases: Collection[str] = ()) -> dict[str, dict[str | None, str]]:
    """For each case, by id: its input, under None, then its variations by name. Without `cases`, all of them."""
    wanted = [case for case in suite.cases if not cases or case.id in cases]
    inputs: dict[str, dict[str | None, str]] = {case.id: {None: case.input} for case in wanted}
    if suite.variations.use:
        rewriter = Rewriter(suite.cases, suite.generation.seed)
        for case in wanted:
            inputs[case.id].update(rewriter.choose(case, suite.variations.use, suite.variations.per_case))
    return inputs


def count_jobs(suite: Suite) -> int:
    """How many jobs the whole suite has."""
    return len(suite.prompts) * sum(map(len, inputs_of(suite).values())) * suite.generation.repeats


def job_of(suite: Suite, prompt: Prompt, case: Case, variation: str | None, text: str, repeat: int) -> Job:
    """One job of a suite. text: the input, rewritten by `variation`."""
    schema = suite.schema_of(prompt)
    varied = case.id if variation is None else f"{case.id}~{variation}"
    return Job(
        id=f"{suite.name}/{prompt.name}/{varied}#{repeat}",
        prompt=prompt.name,
        case=case.id,
        variation=variation,
        repeat=repeat,
        seed=_seed(suite.generation.seed, varied, repeat),
        input=text,
        messages=chat_messages(prompt, text, schema),
        prefill=prompt.prefill or "",
        schema=schema,
        expected=case.expected,
        tags=case.tags,
        template_kwargs={**suite.generation.chat_template_kwargs, **prompt.chat_template_kwargs},
        think_close=prompt.think.close if prompt.think else None,
        think_budget=prompt.think.budget if prompt.think else 0,
    )


def _seed(seed: int, varied_case: str, repeat: int) -> int:
    """A seed for each (varied) input and repeat, the same under every prompt and on every machine.

    With one seed for all, every case would draw the same number for its first token, and a rate would depend on it.
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{varied_case}/{repeat}".encode()).digest()[:4])


def _refuse_unknown(suite: Suite, kind: str, asked: Collection[str], known: list[str]) -> None:
    faults = [
        f"{suite.path}: the suite has no {kind} {short_json(name)}; {did_you_mean(name, known)}"
        for name in asked
        if name not in known
    ]
    if faults:
        raise SuiteError(*faults)
