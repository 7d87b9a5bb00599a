"""What is to be decoded, in which order."""

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
    """One input under one prompt, decoded in both arms.

    id: "suite/prompt/case#repeat" or "suite/prompt/case~variation#repeat", unique in a run.
    variation: None is the input as the suite has it.
    seed: what sampling starts from, of its own for each input. prefill: the beginning the reply is given, "" for none.
    schema: the JSON Schema that replies are held to. expected: None where nothing is expected.
    template_kwargs: variables for the chat template. think_close, think_budget: both arms think up to this tag, in at
    most so many tokens; None and 0 where the reply begins at once.
    """

    id: str
    prompt: str
    case: str
    variation: str | None
    repeat: int
    seed: int
    input: str
    messages: tuple[Message, ...]
    prefill: str
    schema: dict[str, Any]
    expected: Any
    tags: tuple[str, ...]
    template_kwargs: dict[str, Any] = field(default_factory=dict)
    think_close: str | None = None
    think_budget: int = 0


def jobs_of(
    suite: Suite,
    prompts: Collection[str] = (),
    cases: Collection[str] = (),
    limit: int | None = None,
    without: Collection[str] = (),
) -> list[Job]:
    """The jobs of a suite in its own order: by prompt, then case, then variation, then repeat.

    The input as it is comes before its variations.

    prompts, cases: the names to keep; empty keeps all. without: cases to leave out, known or not.
    limit: keep this many jobs from the front.
    Raises SuiteError for a name that the suite does not have and for a limit below 1.
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
    """For each case, by its id: the input as it is, under None, then its variations by name. Empty `cases` is all."""
    wanted = [case for case in suite.cases if not cases or case.id in cases]
    inputs: dict[str, dict[str | None, str]] = {case.id: {None: case.input} for case in wanted}
    if suite.variations.use:
        rewriter = Rewriter(suite.cases, suite.generation.seed)
        for case in wanted:
            inputs[case.id].update(rewriter.choose(case, suite.variations.use, suite.variations.per_case))
    return inputs


def count_jobs(suite: Suite) -> int:
    """How many jobs the whole suite makes."""
    return len(suite.prompts) * sum(map(len, inputs_of(suite).values())) * suite.generation.repeats


def job_of(suite: Suite, prompt: Prompt, case: Case, variation: str | None, text: str, repeat: int) -> Job:
    """One job of a suite. text: the input, as `variation` has it."""
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
    """A seed for each input, varied or not, and repeat, the same under every prompt and on every machine.

    With one seed for all, every case would make the same draw for its first token, and a rate would hang on that draw.
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
