"""The suites the first screen offers: what was found on disk, those that do not load included."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.text import visible
from tui.widgets.text_view import Span

if TYPE_CHECKING:
    from engine.suites import Prompt, Suite


@dataclass(frozen=True, slots=True)
class SuiteFile:
    """A suite file: either the suite and how many jobs it makes, or why it does not load."""

    path: Path
    suite: Suite | None
    error: str | None = None
    jobs: int = 0


def read_suites(path: Path) -> list[SuiteFile]:
    """Read every suite under a folder, or the one file. Slow imports and files: call it from a thread."""
    from engine.jobs import count_jobs
    from engine.suites import SuiteError, find_suites, load_suite

    try:
        paths = find_suites(path)
    except SuiteError as error:
        return [SuiteFile(path, None, str(error))]
    files = []
    for found in paths:
        try:
            suite = load_suite(found)
            files.append(SuiteFile(found, suite, jobs=count_jobs(suite)))
        except SuiteError as error:
            files.append(SuiteFile(found, None, str(error)))
    return files


def search_fault(file: SuiteFile) -> str | None:
    """Why a suite that loads cannot be searched; None where it can."""
    from engine.errors import BadInputError
    from engine.events import SEARCH_BUDGET
    from engine.search.planning import plan_search

    assert file.suite is not None
    try:
        plan_search(file.suite, SEARCH_BUDGET)
    except BadInputError as error:
        return str(error)
    return None


class Page:
    """A text with headings and labels, built piece by piece for a TextView."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.spans: list[Span] = []

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)

    def add(self, text: str, style: str | None = None) -> Page:
        """Append text; `style` is a component class of TextView."""
        if style:
            self.spans.append(Span(self._length, self._length + len(text), style))
        self._parts.append(text)
        self._length += len(text)
        return self

    def heading(self, text: str) -> Page:
        """Append a heading on a line of its own."""
        return self.add(text, "text--heading").add("\n")

    def block(self, label: str, text: str) -> Page:
        """Append a label and a text under it, indented."""
        self.add(f"{label}\n", "text--label")
        return self.add("".join(f"  {line}\n" for line in text.split("\n")))


def prompts_page(suite: Suite) -> Page:
    """The prompts as written in the suite, placeholders and all."""
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
    """The JSON Schema, indented; under it those that single prompts have instead."""
    page = Page()
    if suite.json_schema is not None:
        page.add(_json(suite.json_schema, indent=2)).add("\n\n")
    for prompt in suite.prompts:
        if prompt.json_schema is not None:
            page.heading(f"{prompt.name} has its own").add(_json(prompt.json_schema, indent=2)).add("\n\n")
    return page


def cases_page(suite: Suite) -> Page:
    """The variations in use, then the cases: id, tags, input and what is expected."""
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
    return page.add("Mend it and press F5 to read it again.", "text--label")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
