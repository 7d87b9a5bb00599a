"""What a server turned out to do, when it was asked at connect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.servers.forks import Weighing
from engine.suites.jobs import Job
from engine.suites.tables import Generation

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """A form of request. name: as it is told and recorded. fields: what a schema adds to the body of a request."""

    name: str
    fields: Callable[[Schema], dict[str, Any]]


def _json_schema(schema: Schema) -> dict[str, Any]:
    named = {"name": "reply", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def _structured_outputs(schema: Schema) -> dict[str, Any]:
    return {"structured_outputs": {"json": schema}}


def _json_object(schema: Schema) -> dict[str, Any]:
    return {"response_format": {"type": "json_object", "schema": schema}}


FORMS = (
    Form("response_format json_schema", _json_schema),  # OpenAI, vLLM, SGLang, llama.cpp's own server
    Form("structured_outputs", _structured_outputs),  # vLLM since 0.12, where guided_json no longer does anything
    Form("response_format json_object with schema", _json_object),  # llama_cpp.server
)
"""In the order in which they are tried."""


TOP = 10
"""How many favourites are asked for at each token."""

LOGPROBS = {"logprobs": True, "top_logprobs": TOP}
TOKEN_IDS = {"return_token_ids": True}  # vLLM's


@dataclass(frozen=True, slots=True)
class ServerDialect:
    """limit: its name for the most tokens of a reply. extras: what is asked for with each request beside the reply.

    form: the one that holds replies to a schema, None where none does. failures: what came of the others, in words.
    weighing: of constrained replies, see forks. together: whether it answers two requests at once.
    """

    limit: str = "max_tokens"
    extras: Mapping[str, Any] = field(default_factory=dict)
    form: Form | None = None
    failures: tuple[str, ...] = ()
    weighing: Weighing = "none"
    together: bool = True

    def describe(self) -> dict[str, Any]:
        """For the manifest."""
        return {"form": self.form.name if self.form else None, "failures": self.failures, "weighing": self.weighing}


CONTINUED = {"continue_final_message": True, "add_generation_prompt": False}
"""vLLM and SGLang go on with the last message where they are told this; others do not know it."""


def body_of(job: Job, model: str, generation: Generation, traits: ServerDialect) -> dict[str, Any]:
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


def plain_body(text: str, model: str, traits: ServerDialect, tokens: int) -> dict[str, Any]:
    """A question of this program's own, to learn what the server does."""
    asked = {"model": model, "messages": [{"role": "user", "content": text}], "temperature": 0.0, traits.limit: tokens}
    return asked | dict(traits.extras)
