"""A suite's prompts as the model really reads them, with the input of the first case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.protocol.events import PromptRendered
from tui.pages.prompt import Asked, messages_page, rendered_page
from tui.text.page import Page
from tui.text.safe import visible

if TYPE_CHECKING:
    from engine.suites.suite import Suite


def asked_of(suite: Suite) -> dict[str, Asked]:
    """What each prompt asks about the first case's input as it is, by the prompt's name. Call it from a thread."""
    from engine.suites.jobs import job_of

    case = suite.cases[0]
    jobs = (job_of(suite, prompt, case, None, case.input, 0) for prompt in suite.prompts)
    return {job.prompt: Asked(job.messages, None, job.prefill, job.template_kwargs) for job in jobs}


def sent_page(suite: Suite, asked: dict[str, Asked], answers: dict[str, PromptRendered], special: bool) -> Page:
    """Every prompt, those that the engine has not answered yet included. special: show the special tokens."""
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
    """The same without the text of its special tokens; their number stays."""
    parts, done = [], 0
    for start, end in rendered.special:
        parts.append(rendered.text[done:start])
        done = end
    return replace(rendered, text="".join(parts) + rendered.text[done:], special=())
