"""What a server can do of a prompt: begin a reply for the model, set its template's variables, let it think first.

Asked once each, when a prompt first needs it. What is not understood servers leave out in silence, so the number of
tokens of the prompt has to show it.
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

_NO_PREFILL = "The server does not go on with a reply that is begun for it (continue_final_message): {}."
_PREFILLED = "The server holds what follows the prefill to the whole schema, so there is no constrained arm."
_THOUGHTS = "The server does not keep thoughts apart from the reply, so it would hold them to the schema."
_NO_BUDGET = "The server takes no budget for thoughts (thinking_token_budget): the reply's limit is all that ends them."
_UNSEEN = "Whether the server heeds chat_template_kwargs cannot be told: the prompt is as long without them."
_UNHEEDED = "the prompt is as long without it"
_THINKING_TOKENS = 32  # enough to see where thoughts are put


@dataclass(frozen=True, slots=True)
class Able:
    """fields: what the request of a prompt has besides. impossible, unconstrained: why there is no such arm."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    impossible: str | None = None
    unconstrained: str | None = None


class Abilities:
    """What was found so far. remarks: what is to be known of it before the results are read, in sentences."""

    def __init__(self, loop: LoopThread, asking: RetryingClient, model: str, traits: ServerDialect) -> None:
        self._loop, self._asking, self._model, self._traits = loop, asking, model, traits
        self._found: dict[str, Able] = {}
        self._remarks: dict[str, None] = {}

    @property
    def remarks(self) -> tuple[str, ...]:
        """Each once, in the order in which they came up."""
        return tuple(self._remarks)

    def of(self, job: Job) -> Able:
        """What the server can do of a job's prompt."""
        if not (job.prefill or job.template_kwargs or job.think_close):
            return Able()
        kind = json.dumps([job.prefill, job.template_kwargs, job.think_close, job.think_budget])
        if kind not in self._found:
            self._found[kind] = self._find(job)
        return self._found[kind]

    def _find(self, job: Job) -> Able:
        refusal = self._template(job) if job.template_kwargs else None
        if refusal is None and job.prefill:
            refusal = self._prefill(job)
        if refusal is not None:
            return Able(impossible=refusal)
        fields, unconstrained = self._thinking(job) if job.think_close else ({}, None)
        return Able(fields, None, _PREFILLED if job.prefill else unconstrained)

    def _template(self, job: Job) -> str | None:
        """Why the template's variables cannot be set."""
        plain = self._body(job, {})
        without, having = self._tokens(plain), self._tokens(plain | {"chat_template_kwargs": job.template_kwargs})
        if isinstance(having, RequestFailure):
            return f"The server does not take chat_template_kwargs: {having.words}."
        if having == without or having is None:
            self._remarks[_UNSEEN] = None
        return None

    def _prefill(self, job: Job) -> str | None:
        """Why a reply cannot be begun for the model."""
        body = self._body(job, {"chat_template_kwargs": job.template_kwargs} if job.template_kwargs else {})
        body["messages"] = [*body["messages"], {"role": "assistant", "content": job.prefill}]
        closed, open_ = self._tokens(body), self._tokens(body | CONTINUED)
        if isinstance(open_, RequestFailure):
            return _NO_PREFILL.format(open_.words)
        # Its end and the opening of another turn are left out; that the two differ is what tells them apart.
        return _NO_PREFILL.format(_UNHEEDED) if open_ is None or open_ == closed else None

    def _thinking(self, job: Job) -> tuple[dict[str, Any], str | None]:
        """The budget, where the server takes it; and why the constrained arm cannot think."""
        template = {"chat_template_kwargs": job.template_kwargs} if job.template_kwargs else {}
        body = self._body(job, template) | {self._traits.limit: _THINKING_TOKENS}
        fields: dict[str, Any] = {"thinking_token_budget": job.think_budget}
        reply, trouble = self._loop.run(self._asking.whole(body | fields))
        if trouble is not None:
            self._remarks[_NO_BUDGET] = None
            fields = {}
            reply, _ = self._loop.run(self._asking.whole(body))
        return fields, None if reply is not None and reply.thought else _THOUGHTS

    def _body(self, job: Job, more: Mapping[str, Any]) -> dict[str, Any]:
        messages = [dict(message) for message in job.messages]
        return {"model": self._model, "messages": messages, self._traits.limit: 1, "temperature": 0.0, **more}

    def _tokens(self, body: dict[str, Any]) -> int | RequestFailure | None:
        return self._loop.run(self._asking.prompt_tokens(body))
