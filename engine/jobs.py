"""What is to be decoded, in which order."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Any

from engine.faults import did_you_mean, shown
from engine.prompts import chat_messages
from engine.records import Message
from engine.suites import Case, Prompt, Suite, SuiteError


@dataclass(frozen=True, slots=True)
class Job:
    """One input under one prompt, decoded in both arms.

    id: "suite/prompt/case#repeat", unique in a run. variation: None is the input as the suite has it.
    seed: what sampling starts from, of its own for each input. prefill: the beginning the reply is given, "" for none.
    schema: the JSON Schema that replies are held to. expected: None where nothing is expected.
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


def jobs_of(
    suite: Suite, prompts: Collection[str] = (), cases: Collection[str] = (), limit: int | None = None
) -> list[Job]:
    """The jobs of a suite in its own order: by prompt, then case, then repeat.

    prompts, cases: the names to keep; empty keeps all. limit: keep this many jobs from the front.
    Raises SuiteError for a name that the suite does not have and for a limit below 1.
    """
    if limit is not None and limit < 1:
        raise SuiteError(f"{suite.path}: the limit must be at least 1, not {limit}; leave it out to run every job")
    _refuse_unknown(suite, "prompt", prompts, [prompt.name for prompt in suite.prompts])
    _refuse_unknown(suite, "case", cases, [case.id for case in suite.cases])
    jobs = (
        _job(suite, prompt, case, repeat)
        for prompt in suite.prompts
        if not prompts or prompt.name in prompts
        for case in suite.cases
        if not cases or case.id in cases
        for repeat in range(suite.generation.repeats)
    )
    return list(islice(jobs, limit))


def _job(suite: Suite, prompt: Prompt, case: Case, repeat: int) -> Job:
    schema = suite.schema_of(prompt)
    return Job(
        id=f"{suite.name}/{prompt.name}/{case.id}#{repeat}",
        prompt=prompt.name,
        case=case.id,
        variation=None,
        repeat=repeat,
        seed=_seed(suite.generation.seed, case.id, repeat),
        input=case.input,
        messages=chat_messages(prompt, case.input, schema),
        prefill=prompt.prefill or "",
        schema=schema,
        expected=case.expected,
        tags=case.tags,
    )


def _seed(seed: int, case: str, repeat: int) -> int:
    """A seed for each input and repeat, the same under every prompt and on every machine.

    With one seed for all, every case would make the same draw for its first token, and a rate would hang on that draw.
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{case}/{repeat}".encode()).digest()[:4])


def _refuse_unknown(suite: Suite, kind: str, asked: Collection[str], known: list[str]) -> None:
    faults = [
        f"{suite.path}: the suite has no {kind} {shown(name)}; {did_you_mean(name, known)}"
        for name in asked
        if name not in known
    ]
    if faults:
        raise SuiteError(*faults)
