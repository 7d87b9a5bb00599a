"""The candidates of a search: the suite's own prompts, the library's techniques, and compositions of techniques."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product, zip_longest
from typing import NamedTuple

from engine.search.splits import shuffled
from engine.suites.prompts import Draft, technique_prompt, unfit_prompts
from engine.suites.suite import Suite
from engine.suites.tables import Example, Given, Prompt
from engine.suites.techniques import ALL_DATA, CHECKLIST, DELIMITED, ONCE_MORE, ONLY_JSON, PERSONA, TECHNIQUES

_SHOWS = {
    "schema": "Reply with JSON that satisfies this JSON Schema:\n{schema}",
    "key-list": "Reply with a JSON object that has exactly these keys:\n{keys}",
}
_EXAMPLES_NEEDED = {"none": 0, "first": 1, "all": 2}


class Ideas(NamedTuple):
    """The ideas of a composed prompt: for each axis the name of a technique, "" for none. The axes are independent."""

    form: str
    only_json: str
    examples: str
    persona: str
    delimiters: str
    repeat: str
    prefill: str
    checklist: str

    @property
    def name(self) -> str:
        """The ideas by their names in the library, such as "schema+few-shot+delimiters"."""
        return "+".join(filter(None, self))


_AXES = Ideas._make(
    [
        ("", *_SHOWS),
        ("", "json-only"),
        ("", "one-shot", "few-shot"),
        ("", "persona"),
        ("", "delimiters"),
        ("", "repeat"),
        ("", "prefill"),
        ("", "checklist"),
    ]
)


def candidates_of(suite: Suite) -> list[Prompt]:
    """All possible candidates, in the order in which a budget selects them; the first is the baseline.

    Prompts whose schema is not the suite's are left out: they ask for something else. After the baseline single
    techniques and compositions alternate, so that a small budget tries both. The suite must have a task and a schema.
    """
    singles = [prompt for prompt in suite.prompts if suite.schema_of(prompt) == suite.json_schema]
    taken = {prompt.name for prompt in suite.prompts}
    singles += [prompt for prompt in _techniques(suite) if prompt.name not in taken]
    composed = [prompt for prompt in compositions(suite) if prompt.name not in taken]
    turns = zip_longest(singles[1:], composed)
    return list(_distinct([singles[0], *(prompt for turn in turns for prompt in turn if prompt)]))


def compositions(suite: Suite) -> list[Prompt]:
    """Every combination of two or more ideas that fits the suite, in shuffled order."""
    ideas = {each.name: each for each in map(Ideas._make, product(*_AXES)) if sum(map(bool, each)) > 1}
    prompts = (
        compose(ideas[name], suite.task or "", suite.examples) for name in shuffled(ideas, suite.generation.seed)
    )
    return [prompt for prompt in prompts if _fits(prompt, suite) and _has_examples(ideas[prompt.name].examples, suite)]


def compose(ideas: Ideas, task: str, examples: tuple[Example, ...]) -> Prompt:
    """One prompt from several ideas, in the library's wording."""
    lines = [" ".join(filter(None, [f"{task}.", ideas.delimiters and ALL_DATA, ideas.only_json and ONLY_JSON]))]
    lines += [_SHOWS[ideas.form]] if ideas.form else []
    lines += [CHECKLIST] if ideas.checklist else []
    parts = ["\n".join(lines), DELIMITED if ideas.delimiters else "Text: {input}"]
    parts += [ONCE_MORE.replace("{task}", task)] if ideas.repeat else []
    shown = {"": 0, "one-shot": 1, "few-shot": len(examples)}[ideas.examples]
    return Prompt(
        name=ideas.name,
        system=PERSONA if ideas.persona else None,
        user="\n\n".join(parts),
        examples=examples[:shown],
        prefill="{" if ideas.prefill else None,
        about=f"Composed by a search of {', '.join(filter(None, ideas))}.",
    )


def _techniques(suite: Suite) -> Iterator[Prompt]:
    for technique in TECHNIQUES.values():
        prompt = technique_prompt(technique, suite.task or "", suite.examples)
        if _fits(prompt, suite) and len(suite.examples) >= _EXAMPLES_NEEDED[technique.examples]:
            yield prompt


def _has_examples(idea: str, suite: Suite) -> bool:
    return not idea or len(suite.examples) >= _EXAMPLES_NEEDED[TECHNIQUES[idea].examples]


def _fits(prompt: Prompt, suite: Suite) -> bool:
    """Whether it only asks for what the schema has: keys to list, an object to begin."""
    draft = Draft(prompt, Given((), None, None, prompt.name), technique=True)
    return not list(unfit_prompts([draft], [suite.json_schema]))


def _distinct(prompts: Iterable[Prompt]) -> Iterator[Prompt]:
    """Drop prompts that repeat an earlier one word for word."""
    seen = set()
    for prompt in prompts:
        content = prompt.model_dump_json(exclude={"name", "about", "source", "json_schema"})
        if content not in seen:
            seen.add(content)
            yield prompt
