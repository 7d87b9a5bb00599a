"""What a server can do with a prompt: continue a prefilled reply, set its chat template's variables, limit thoughts.

Each is tested once, when a prompt first needs it. Servers ignore what they do not understand without an error, so the
number of tokens of the prompt has to show whether it had an effect.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.servers.client import LoopThread
from engine.servers.dialect import CONTINUED, ServerDialect
from engine.servers.failures import RequestFailure
from engine.servers.retries import RetryingClient
from engine.suites.jobs import Job

_NO_PREFILL = "The server does not continue a reply that is begun for it (continue_final_message): {}."
_PREFILLED = "The server holds what follows the prefill to the whole schema, so there is no constrained arm."
_THOUGHTS = "The server does not keep thoughts apart from the reply, so it would hold them to the schema."
_NO_BUDGET = (
    "The server takes no budget for thoughts (thinking_token_budget), so only the limit of the reply ends them."
)
_UNKNOWN_TEMPLATE = (
    "Whether the server uses chat_template_kwargs is not known: the prompt is equally long without them."
)
_UNHEEDED = "the prompt is equally long without it"
_THINKING_TOKENS = 32  # enough to see where thoughts are put


@dataclass(frozen=True, slots=True)
class PromptSupport:
    """What a server can do with one prompt."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    """What its requests need in addition."""
    impossible: str | None = None
    """Why neither arm can be decoded."""
    unconstrained: str | None = None
    """Why the constrained arm cannot be decoded."""


class Capabilities:
    """What was found so far."""

    def __init__(self, loop: LoopThread, client: RetryingClient, model: str, dialect: ServerDialect) -> None:
        self._loop, self._client, self._model, self._dialect = loop, client, model, dialect
        self._known: dict[str, PromptSupport] = {}
        self._remarks: dict[str, None] = {}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What to know before reading the results, a sentence each, in the order in which it was found."""
        return tuple(self._remarks)

    def of(self, job: Job) -> PromptSupport:
        """What the server can do with a job's prompt."""
        if not (job.prefill or job.template_kwargs or job.think_close):
            return PromptSupport()
        needs = json.dumps([job.prefill, job.template_kwargs, job.think_close, job.think_budget])
        if needs not in self._known:
            self._known[needs] = self._test(job)
        return self._known[needs]

    def _test(self, job: Job) -> PromptSupport:
        refusal = self._test_template(job) if job.template_kwargs else None
        if refusal is None and job.prefill:
            refusal = self._test_prefill(job)
        if refusal is not None:
            return PromptSupport(impossible=refusal)
        fields, unconstrained = self._test_thinking(job) if job.think_close else ({}, None)
        return PromptSupport(fields, None, _PREFILLED if job.prefill else unconstrained)

    def _test_template(self, job: Job) -> str | None:
        """Why the template's variables cannot be set."""
        plain = self._body(job, {})
        without, with_them = self._tokens(plain), self._tokens(plain | {"chat_template_kwargs": job.template_kwargs})
        if isinstance(with_them, RequestFailure):
            return f"The server does not take chat_template_kwargs: {with_them.words}."
        if with_them == without or with_them is None:
            self._remarks[_UNKNOWN_TEMPLATE] = None
        return None

    def _test_prefill(self, job: Job) -> str | None:
        """Why a prefilled reply cannot be continued."""
        body = self._body(job, {"chat_template_kwargs": job.template_kwargs} if job.template_kwargs else {})
        body["messages"] = [*body["messages"], {"role": "assistant", "content": job.prefill}]
        closed, open_ = self._tokens(body), self._tokens(body | CONTINUED)
        if isinstance(open_, RequestFailure):
            return _NO_PREFILL.format(open_.words)
        # A continued message lacks its end marker and the opening of the next turn, so its prompt is shorter.
        return _NO_PREFILL.format(_UNHEEDED) if open_ is None or open_ == closed else None

    def _test_thinking(self, job: Job) -> tuple[dict[str, Any], str | None]:
        """The field for the budget, if the server takes one; and why the constrained arm cannot think."""
        template = {"chat_template_kwargs": job.template_kwargs} if job.template_kwargs else {}
        body = self._body(job, template) | {self._dialect.limit_key: _THINKING_TOKENS}
        fields: dict[str, Any] = {"thinking_token_budget": job.think_budget}
        reply, failure = self._loop.run(self._client.complete(body | fields))
        if failure is not None:
            self._remarks[_NO_BUDGET] = None
            fields = {}
            reply, _ = self._loop.run(self._client.complete(body))
        return fields, None if reply is not None and reply.thought else _THOUGHTS

    def _body(self, job: Job, more: Mapping[str, Any]) -> dict[str, Any]:
        messages = [dict(message) for message in job.messages]
        return {"model": self._model, "messages": messages, self._dialect.limit_key: 1, "temperature": 0.0, **more}

    def _tokens(self, body: dict[str, Any]) -> int | RequestFailure | None:
        return self._loop.run(self._client.prompt_tokens(body))
