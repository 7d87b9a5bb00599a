"""The exact prompt of a job: where its messages come from, and the page that shows them. Does not import Textual."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.protocol.commands import RenderPrompt
from engine.protocol.events import PromptRendered
from engine.records import ARMS, Message
from tui.state.job import JobState
from tui.state.manifest_facts import PromptFacts, RunFacts, facts_for
from tui.state.run import RunState
from tui.text.page import Page
from tui.text.safe import visible

if TYPE_CHECKING:
    from engine.suites.jobs import Job
    from engine.suites.suite import Suite

_PREFILL = "\u2502"  # │, before the prefill


@dataclass(frozen=True, slots=True)
class Asked:
    """What a job asks the model."""

    messages: tuple[Message, ...]
    model: str | None = None
    """The model that is asked, None if it is not known."""
    prefill: str = ""
    template_kwargs: dict[str, Any] = field(default_factory=dict)
    remark: str | None = None
    """A caveat about where the prompt was taken from."""

    def command(self, id: str) -> RenderPrompt:
        """The command that makes the engine render the prompt."""
        return RenderPrompt(id, self.messages, self.prefill, self.template_kwargs)


def asked_by(state: RunState, job: JobState) -> Asked | None:
    """What a job asks: from its record, else from the suite's file. Reads files, so call it from a thread.

    None if neither has it. Raises BadInputError if the suite no longer loads.
    """
    facts = facts_for(state, job)
    if job.record is not None:
        prompt = facts.prompts.get(job.info.prompt)
        remark = f"{facts.problem} So the prefill of its replies is not known." if facts.problem else None
        if state.labels != ARMS:
            remark = f"This is what the {state.labels[1]} was asked. {remark or ''}".rstrip()
        prompt = prompt or PromptFacts()
        return Asked(job.record.messages, facts.model, prompt.prefill, prompt.template_kwargs, remark)
    if (in_suite := _suite_job(state.suite, job.info.id, facts)) is None:
        return None
    suite_job, remark = in_suite
    return Asked(suite_job.messages, facts.model, suite_job.prefill, suite_job.template_kwargs, remark)


def _suite_job(path: Path, id: str, facts: RunFacts) -> tuple[Job, str | None] | None:
    from engine.suites.jobs import jobs_of
    from engine.suites.suite import load_suite

    suite = load_suite(path)
    job = next((job for job in jobs_of(suite) if job.id == id), None)
    if job is None:
        return None
    changed = facts.suite_sha256 not in (None, hashlib.sha256(suite.text.encode()).hexdigest())
    return job, "The suite's file has changed since the run began: this is how it asks now." if changed else None


def rendered_page(asked: Asked, rendered: PromptRendered) -> Page:
    """The prompt as the model reads it."""
    page = Page()
    _add_remark(page, asked.remark)
    words = f"{rendered.tokens} tokens as {visible(rendered.model)} reads them"
    words += ", special ones underlined" if rendered.special else ""
    words += f"; behind the last {_PREFILL} is the prefill of the reply" if asked.prefill else ""
    page.add(f"{words}\n\n", "text--label")
    text, special = rendered.text, rendered.special
    prompt = text.removesuffix(asked.prefill)
    _add_marked(page, prompt, special)
    if len(prompt) < len(text):
        page.add(f"{_PREFILL}{text[len(prompt) :]}", "text--fork")
    return page


def messages_page(asked: Asked, why: str) -> Page:
    """The messages role by role. why: a sentence that says why the chat template is not applied."""
    page = Page()
    page.add(f"{visible(why)} The messages, role by role:\n\n", "text--label")
    _add_remark(page, asked.remark)
    for message in asked.messages:
        page.heading(visible(message["role"])).add(f"{message['content']}\n\n")
    if asked.prefill:
        page.heading("the reply begins").add(f"{asked.prefill}\n\n")
    if asked.template_kwargs:
        page.heading("variables of the chat template").add(json.dumps(asked.template_kwargs, ensure_ascii=False))
    return page


def other_model(asked: Asked, engine: str) -> str | None:
    """A sentence if the engine has another model than the run had."""
    if asked.model is None or asked.model == engine:
        return None
    return f"This run asked {asked.model}, the engine here has {engine}: its chat template would not be the run's."


def _add_remark(page: Page, remark: str | None) -> None:
    if remark:
        page.add(f"{visible(remark)}\n", "text--label")


def _add_marked(page: Page, text: str, special: Iterable[tuple[int, int]]) -> None:
    done = 0
    for start, end in special:
        page.add(text[done:start]).add(text[start:end], "text--special")
        done = end
    page.add(text[done:])


def asked_of(suite: Suite) -> dict[str, Asked]:
    """What each prompt asks for the first case, by the prompt's name. Call it from a thread."""
    from engine.suites.jobs import job_of

    case = suite.cases[0]
    jobs = (job_of(suite, prompt, case, None, case.input, 0) for prompt in suite.prompts)
    return {job.prompt: Asked(job.messages, None, job.prefill, job.template_kwargs) for job in jobs}


def sent_page(suite: Suite, asked: dict[str, Asked], answers: dict[str, PromptRendered], special: bool) -> Page:
    """All prompts, those that the engine has not rendered yet included. special: show the special tokens."""
    page = Page()
    page.add(f"with the input of {visible(suite.cases[0].id)}; ", "text--label")
    page.add(f"t {'hides' if special else 'shows'} the special tokens\n\n", "text--label")
    for name, question in asked.items():
        page.heading(visible(name))
        answer = answers.get(name)
        if answer is None:
            page.add("asking the engine how the model reads it ...", "text--label")
        elif answer.error is not None:
            page.join(messages_page(question, answer.error))
        else:
            page.join(rendered_page(question, answer if special else without_special(answer)))
        page.add("\n\n")
    return page


def without_special(rendered: PromptRendered) -> PromptRendered:
    """A rendered prompt without the text of its special tokens; the token count stays."""
    parts, done = [], 0
    for start, end in rendered.special:
        parts.append(rendered.text[done:start])
        done = end
    return replace(rendered, text="".join(parts) + rendered.text[done:], special=())
