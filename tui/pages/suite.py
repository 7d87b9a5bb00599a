"""The pages of a suite on the first screen: its prompts, its schema, its cases, how much there is to run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.state.suites import SuiteFile
from tui.text.page import Page
from tui.text.safe import visible

if TYPE_CHECKING:
    from engine.suites.suite import Suite
    from engine.suites.tables import Prompt


def prompts_page(suite: Suite) -> Page:
    """The prompts as written in the suite, with their placeholders."""
    page = Page()
    for prompt in suite.prompts:
        _add_prompt(page, prompt)
    return page


def _add_prompt(page: Page, prompt: Prompt) -> None:
    page.heading(prompt.name)
    if prompt.about:
        page.add(f"{prompt.about}\n").add(f"source: {prompt.source}\n", "text--label")
    if prompt.system is not None:
        page.block("system", prompt.system)
    for example in prompt.examples:
        page.block("example input", example.input)
        output = example.output
        page.block("example output", output if isinstance(output, str) else _json(output))
    page.block("user", prompt.user)
    if prompt.prefill is not None:
        page.block("prefill", prompt.prefill)
    if prompt.think is not None:
        page.block("thinks first", f"up to {prompt.think.close}, in at most {prompt.think.budget} tokens")
    if prompt.chat_template_kwargs:
        page.block("chat template", _json(prompt.chat_template_kwargs))
    page.add("\n")


def schema_page(suite: Suite) -> Page:
    """The JSON Schema, indented; below it the schemas of prompts that have their own."""
    page = Page()
    if suite.json_schema is not None:
        page.add(_json(suite.json_schema, indent=2)).add("\n\n")
    for prompt in suite.prompts:
        if prompt.json_schema is not None:
            page.heading(f"{prompt.name} has its own").add(_json(prompt.json_schema, indent=2)).add("\n\n")
    return page


def cases_page(suite: Suite) -> Page:
    """The variations in use, then the cases: id, tags, input and expected value."""
    page = Page()
    if suite.variations.use:
        _add_variations(page, suite)
    for case in suite.cases:
        page.add(case.id, "text--heading")
        if case.tags:
            page.add("  " + " ".join(f"#{tag}" for tag in case.tags), "text--label")
        page.add("\n")
        page.block("input", case.input or "(empty)")
        page.block("expected", "(nothing; only the schema counts)" if case.expected is None else _json(case.expected))
        page.add("\n")
    return page


def _add_variations(page: Page, suite: Suite) -> None:
    from engine.variations import VARIATIONS

    number = suite.variations.per_case
    page.heading(f"variations, {number} drawn for each case" if number else "variations, all that apply to a case")
    for name in suite.variations.use:
        page.add(f"  {name}: ", "text--label").add(f"{VARIATIONS[name].changes}\n")
    page.add("\n")


def summary(suite: Suite, jobs: int) -> str:
    """One line: how much there is to run and how it is decoded."""
    generation = suite.generation
    prompts, cases = _count(len(suite.prompts), "prompt"), _count(len(suite.cases), "case")
    if suite.variations.use:
        cases += " with variations"
    how = "greedy" if generation.temperature == 0 else f"temperature {generation.temperature:g}"
    return f"{prompts} x {cases} = {_count(jobs, 'job')}, {how}, at most {generation.max_new_tokens} tokens"


def error_page(file: SuiteFile) -> Page:
    """Why a suite does not load."""
    page = Page().heading("This does not load").add("\n")
    page.add(visible(file.error or "")).add("\n\n")
    return page.add("Fix it and press F5 to read it again.", "text--label")


def empty_page(path: Path) -> Page:
    """What to do when there is no suite."""
    page = Page().heading("No suites here").add("\n")
    page.add(f"There is no .toml file in {visible(str(path))}.\n\n")
    page.add("A suite is a TOML file with a schema, prompts and cases. Put one there and press F5,\n")
    page.add("or quit and name another folder: jsonbreak PATH\n\n")
    return page.add(_SAMPLE, "text--label")


def nothing_found_page() -> Page:
    """The page for a text that no suite contains."""
    return Page().add("No suite has this text in its name, its description, a prompt's name or a case's input.\n")


_SAMPLE = """\
name = "people"

[schema]
type = "object"
required = ["name"]
[schema.properties.name]
type = "string"

[[prompt]]
name = "naive"
user = "Extract the name: {input}"

[[case]]
id = "alice"
input = "My name is Alice."
expected = { name = "Alice" }
"""


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
