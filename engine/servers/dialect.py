"""What a server was found to understand at connect, and the requests that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.servers.forks import Weighing
from engine.suites.jobs import Job
from engine.suites.tables import Generation

Schema = Mapping[str, Any]

TOP_LOGPROBS = 10
"""How many alternatives are requested at each token."""
LOGPROBS = {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
TOKEN_IDS = {"return_token_ids": True}  # vLLM's
CONTINUED = {"continue_final_message": True, "add_generation_prompt": False}
"""Has vLLM and SGLang continue the last message; other servers do not know it."""


@dataclass(frozen=True, slots=True)
class Form:
    """A way to send a schema with a request."""

    name: str
    """As it is shown and recorded."""
    fields: Callable[[Schema], dict[str, Any]]
    """What a schema adds to the body of a request."""


def _json_schema(schema: Schema) -> dict[str, Any]:
    named = {"name": "reply", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def _structured_outputs(schema: Schema) -> dict[str, Any]:
    return {"structured_outputs": {"json": schema}}


def _json_object(schema: Schema) -> dict[str, Any]:
    return {"response_format": {"type": "json_object", "schema": schema}}


FORMS = (
    Form("response_format json_schema", _json_schema),  # OpenAI, vLLM, SGLang, llama.cpp's own server
    Form("structured_outputs", _structured_outputs),  # vLLM since 0.12, where guided_json no longer has any effect
    Form("response_format json_object with schema", _json_object),  # llama_cpp.server
)
"""In the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class ServerDialect:
    """What a server understands."""

    limit_key: str = "max_tokens"
    """The server's name for the maximum number of tokens of a reply."""
    extras: Mapping[str, Any] = field(default_factory=dict)
    """Fields of every request that ask for more than the text: log probabilities, token ids."""
    form: Form | None = None
    """The form that holds replies to a schema; None if none does."""
    failures: tuple[str, ...] = ()
    """Why the forms that were tried before it do not, in words."""
    weighing: Weighing = "none"
    """Which probabilities come with a constrained reply."""
    concurrent: bool = True
    """Whether it answers two requests at once."""

    def describe(self) -> dict[str, Any]:
        """For the manifest."""
        return {"form": self.form.name if self.form else None, "failures": self.failures, "weighing": self.weighing}


def job_body(job: Job, model: str, generation: Generation, dialect: ServerDialect) -> dict[str, Any]:
    """The request of both arms of a job; the constrained arm adds the fields of its form.

    What is left out is up to the server: penalties, for example, which some models set in their own settings.
    """
    messages = [dict(message) for message in job.messages]
    if job.prefill:
        messages.append({"role": "assistant", "content": job.prefill})
    return (
        {"model": model, "messages": messages, "temperature": generation.temperature, "top_p": generation.top_p}
        | {dialect.limit_key: generation.max_new_tokens + job.think_budget, "seed": job.seed}
        | ({"top_k": generation.top_k} if generation.top_k and generation.temperature else {})
        | (CONTINUED if job.prefill else {})
        | ({"chat_template_kwargs": job.template_kwargs} if job.template_kwargs else {})
        | dict(dialect.extras)
    )


def probe_body(text: str, model: str, dialect: ServerDialect, tokens: int) -> dict[str, Any]:
    """A request of this program's own, to learn what the server does."""
    messages = [{"role": "user", "content": text}]
    return {"model": model, "messages": messages, "temperature": 0.0, dialect.limit_key: tokens, **dialect.extras}
