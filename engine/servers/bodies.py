"""A job as the body of a chat completions request."""

from __future__ import annotations

from typing import Any

from engine.servers.dialect import Traits
from engine.suites.jobs import Job
from engine.suites.tables import Generation

CONTINUED = {"continue_final_message": True, "add_generation_prompt": False}
"""vLLM and SGLang go on with the last message where they are told this; others do not know it."""


def body_of(job: Job, model: str, generation: Generation, traits: Traits) -> dict[str, Any]:
    """What both arms of a job ask for; the constrained arm adds the fields of its form.

    What is left out the server decides: penalties, say, which some models' own settings have.
    """
    messages = [dict(message) for message in job.messages]
    if job.prefill:
        messages.append({"role": "assistant", "content": job.prefill})
    return (
        {"model": model, "messages": messages, "temperature": generation.temperature, "top_p": generation.top_p}
        | {traits.limit: generation.max_new_tokens + job.think_budget, "seed": job.seed}
        | ({"top_k": generation.top_k} if generation.top_k and generation.temperature else {})
        | (CONTINUED if job.prefill else {})
        | ({"chat_template_kwargs": job.template_kwargs} if job.template_kwargs else {})
        | dict(traits.extras)
    )


def plain_body(text: str, model: str, traits: Traits, tokens: int) -> dict[str, Any]:
    """A question of this program's own, to learn what the server does."""
    asked = {"model": model, "messages": [{"role": "user", "content": text}], "temperature": 0.0, traits.limit: tokens}
    return asked | dict(traits.extras)
