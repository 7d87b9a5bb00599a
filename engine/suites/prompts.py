"""The prompts of a suite: the library's techniques that it uses, and its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.suites.faults import Fault
from engine.suites.messages import key_list
from engine.suites.tables import Example, File, FilePrompt, Given, Prompt, PromptKeys, Think
from engine.suites.techniques import TECHNIQUES, Technique
from engine.suites.toml_lines import KeyPath
from engine.text import did_you_mean, short_json

_TASK = "{task}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A prompt before its schema is read."""

    prompt: Prompt
    given: Given
    """The key that it comes from, and a schema of its own if it has one."""
    technique: bool
    """Whether it comes from the library."""


def drafts_of(file: File) -> tuple[list[Draft], list[Fault]]:
    """The suite's prompts, techniques first, and what is wrong with them.

    A [[prompt]] with a technique's name replaces the technique.
    """
    own = {prompt.name: _own_draft(number, prompt, file.task) for number, prompt in enumerate(file.prompt)}
    faults = [*_use_faults(file, own), *_own_faults(file)]
    drafts = {name: own.get(name) or _technique_draft(number, name, file) for number, name in _known(file)}
    if not file.use and not file.prompt:
        faults.append(Fault((), "the suite has no prompts; add at least one [[prompt]] with a name and a user message"))
    return list({**drafts, **own}.values()), faults


def technique_prompt(technique: Technique, task: str, examples: Sequence[Example]) -> Prompt:
    """A technique applied to a suite's task and examples."""
    shown_examples = {"none": 0, "first": 1, "all": len(examples)}[technique.examples]
    think = Think(close=technique.think_close, budget=technique.think_budget) if technique.think_close else None
    return Prompt(
        name=technique.name,
        system=technique.system and technique.system.replace(_TASK, task),
        user=technique.user.replace(_TASK, task),
        examples=tuple(examples[:shown_examples]),
        prefill=technique.prefill,
        think=think,
        about=technique.about,
        source=technique.source,
    )


def unfit_prompts(drafts: Sequence[Draft], schemas: Sequence[Mapping[str, Any] | None]) -> Iterator[Fault]:
    """Faults of prompts that ask for what their schema does not have: keys to list, an object to begin."""
    for draft, schema in zip(drafts, schemas, strict=True):
        texts = draft.prompt.user + (draft.prompt.system or "")
        if schema is None:
            continue
        name = short_json(draft.prompt.name)
        if "{keys}" in texts and not key_list(schema):
            text = f"prompt {name} lists the keys of an object, and the schema has no properties"
            yield Fault(draft.given.table, f"{text} at the top; leave it out, or use {{schema}} instead of {{keys}}")
        stated = schema.get("type", "object")
        if draft.technique and draft.prompt.prefill == "{" and "object" not in stated:
            text = f"technique {name} begins an object, and the schema asks for {short_json(stated)}"
            yield Fault(draft.given.table, f"{text}; leave it out, or write a [[prompt]] with another prefill")


def _own_draft(number: int, prompt: FilePrompt, task: str | None) -> Draft:
    keys = {name: getattr(prompt, name) for name in PromptKeys.model_fields}
    for name in ("system", "user"):
        if keys[name] and task:
            keys[name] = keys[name].replace(_TASK, task)
    given = Given(("prompt", number), prompt.inline_schema, prompt.schema_file, prompt.name)
    return Draft(Prompt(**keys), given, technique=False)


def _technique_draft(number: int, name: str, file: File) -> Draft:
    prompt = technique_prompt(TECHNIQUES[name], file.task or "", file.example)
    return Draft(prompt, Given(("use", number), None, None, name), technique=True)


def _known(file: File) -> Iterator[tuple[int, str]]:
    """The names in `use` that are techniques or prompts of the suite."""
    names = {*TECHNIQUES, *(prompt.name for prompt in file.prompt)}
    return ((number, name) for number, name in enumerate(file.use) if name in names)


def _use_faults(file: File, own: Mapping[str, Draft]) -> Iterator[Fault]:
    used = [TECHNIQUES[name] for name in file.use if name in TECHNIQUES and name not in own]
    if file.task is None and used:
        text = f"technique {short_json(used[0].name)} needs the suite's task"
        yield Fault(("use",), f'{text}; add task = "…" at the top of the file, saying what is to be done')
    for number, name in enumerate(file.use):
        place: KeyPath = ("use", number)
        if name not in TECHNIQUES and name not in own:
            yield Fault(place, f"there is no technique {short_json(name)}; {did_you_mean(name, TECHNIQUES)}")
        elif name in file.use[:number]:
            yield Fault(place, f"{short_json(name)} is listed twice; keep one of the two")
        elif name not in own:
            yield from _lacking_examples(place, TECHNIQUES[name], len(file.example))


def _lacking_examples(place: KeyPath, technique: Technique, number: int) -> Iterator[Fault]:
    needed = {"none": 0, "first": 1, "all": 2}[technique.examples]
    if number < needed:
        text = f"technique {short_json(technique.name)} shows {'an example' if needed == 1 else 'two examples or more'}"
        has = "only one" if number else "none"
        yield Fault(place, f"{text}, and the suite has {has}; add [[example]] tables with an input and an output")


def _own_faults(file: File) -> Iterator[Fault]:
    for number, prompt in enumerate(file.prompt):
        if prompt.think and prompt.prefill:
            text = "the reply begins with thinking, so nothing can come before it; keep one of prefill and think"
            yield Fault(("prompt", number, "prefill"), text)
        for key in ("system", "user"):
            if file.task is None and _TASK in (getattr(prompt, key) or ""):
                text = "{task} stands for the suite's task, and it has none"
                yield Fault(("prompt", number, key), f'{text}; add task = "…" at the top of the file')
    inputs = {case.input: case.id for case in file.case}
    for number, example in enumerate(file.example):
        if example.input in inputs:
            text = f"this is the input of case {short_json(inputs[example.input])} as well, whose answer would be shown"
            yield Fault(("example", number, "input"), f"{text}; take another")
