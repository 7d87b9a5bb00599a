"""A model behind an OpenAI-compatible server, as a backend of runs."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from typing_extensions import override

from engine.backends import AdapterInUse, Backend, Constraint, GrammarError, Plan, Unenforced
from engine.errors import BadInputError, EngineError
from engine.per_schema import schema_key
from engine.protocol.commands import GrammarKind, RenderPrompt
from engine.protocol.events import Event, Loading, PromptRendered
from engine.records import Arm
from engine.servers.capabilities import Capabilities
from engine.servers.client import LoopThread, Served, inspect_server, open_client
from engine.servers.concurrency import ConcurrencyLimiter
from engine.servers.decoder import ServerDecoder
from engine.servers.dialect import Form, ServerDialect, job_body, probe_body
from engine.servers.in_flight import JobRequest
from engine.servers.probing import probe
from engine.servers.retries import RetryingClient
from engine.servers.spec import ServerSpec
from engine.suites.jobs import Job
from engine.suites.tables import Generation
from engine.text import did_you_mean, printable

_NO_TOKENS = "The server does not report tokens: there are no probabilities, and forks are found in the texts."
_MASKED = "The server weighs a constrained reply's tokens under the grammar, so their own probabilities are not kept."
_ONE_AT_A_TIME = "The server ends a reply when it gets another request: it is asked one thing at a time."
_TEMPLATE_UNKNOWN = (
    "The server puts messages through the chat template itself: how they read to the model is not known here."
)


@dataclass(frozen=True, slots=True)
class ServerConstraint(Constraint):
    """A schema that the server holds replies to."""

    form: Form
    """How the server is asked to."""
    schema: Mapping[str, Any]

    @property
    @override
    def backend(self) -> str:
        return self.form.name

    @property
    @override
    def unenforced(self) -> tuple[Unenforced, ...]:
        return ()  # servers do not report what they leave unenforced


class ServerBackend(Backend[ServerConstraint]):
    """Use `connect`."""

    device, precision = "server", "its own precision"
    search_unavailable_reason = (
        "A search decodes with a model on this machine; start jsonbreak with --model and without --server."
    )

    def __init__(
        self, spec: ServerSpec, loop: LoopThread, client: RetryingClient, served: Served, dialect: ServerDialect
    ) -> None:
        self._spec, self._loop, self._client, self._served, self._dialect = spec, loop, client, served, dialect
        self._capabilities = Capabilities(loop, client, served.model, dialect)
        self._constraints: dict[str, ServerConstraint | GrammarError] = {}
        self.name, self._answering = printable(served.model), served.model

    @classmethod
    def connect(cls, spec: ServerSpec, emit: Callable[[Loading], None]) -> ServerBackend:
        """Find out what the server serves and what it can do. Raises BadInputError and EngineError, with the reason."""
        emit(Loading(f"asking {spec.url} what it serves"))
        loop, openai_client = LoopThread(), open_client(spec)
        client = RetryingClient(openai_client, spec.key, spec.retry)
        served = loop.run(inspect_server(openai_client, spec))
        emit(Loading(f"trying how {printable(served.model)} is held to a schema"))
        return cls(spec, loop, client, served, loop.run(probe(client, served.model)))

    @override
    def use_adapter(self, name: str | None) -> AdapterInUse | None:
        models = self._served.models  # a server serves its adapters as models of their own names
        if name is not None and models and name not in models:
            remedy = printable(did_you_mean(name, models))
            raise BadInputError(f"--adapter {printable(name)}: the server has none of that name; {remedy}.")
        self._answering = name or self._served.model
        if name is None:
            return None
        parent = models.get(name, {}).get("parent")
        return AdapterInUse(name, None, None, str(parent) if parent else None, None, ())

    @override
    def grammar(
        self, schema: Mapping[str, Any], seconds: float, emit: Callable[[Loading], None], kind: GrammarKind = "auto"
    ) -> ServerConstraint:
        key = schema_key(schema)
        if key not in self._constraints:
            emit(Loading("trying the schema on the server"))
            self._constraints[key] = self._try_schema(schema)
        outcome = self._constraints[key]
        if isinstance(outcome, GrammarError):
            raise outcome
        return outcome

    @override
    def plan(
        self,
        jobs: Sequence[Job],
        grammar_of: Callable[[Job], ServerConstraint | None],
        generation: Generation,
        batch: int | None = None,
    ) -> Plan:
        impossible: dict[str, str] = {}
        unconstrained: dict[str, str] = {}
        decoder = ServerDecoder(self._loop, self._client, self._limiter(), self._dialect.weighing)
        for job in jobs:
            support = self._capabilities.of(job)
            if support.impossible is not None:
                impossible[job.id] = support.impossible
                continue
            body = {**job_body(job, self._answering, generation, self._dialect), **support.fields}
            bodies: dict[Arm, dict[str, Any]] = {"free": body}
            constraint = grammar_of(job)
            if constraint is not None and support.unconstrained is not None:
                unconstrained[job.id] = support.unconstrained
            elif constraint is not None:
                bodies["constrained"] = body | constraint.form.fields(constraint.schema)
            decoder.submit(JobRequest(job.id, bodies, job.prefill, job.think_close))
        return Plan(decoder, impossible, unconstrained, {}, None, (*self._remarks(), *self._capabilities.remarks))

    @override
    def describe(self) -> dict[str, Any]:
        return {
            "whitespace_pattern": None,
            "versions": {"openai": version("openai")},
            "server": {
                **self._served.describe(self._answering),
                **self._dialect.describe(),
                "answering": self._answering,
            },
            "server_url": self._spec.url,
        }

    def _limiter(self) -> ConcurrencyLimiter:
        if not self._dialect.concurrent:
            return ConcurrencyLimiter(fixed=1)
        return ConcurrencyLimiter(fixed=2 * self._spec.concurrency if self._spec.concurrency else None)

    def _remarks(self) -> tuple[str, ...]:
        form = self._dialect.form
        remarks = (
            f"The server holds replies to a schema by {form.name}." if form else None,
            {"none": _NO_TOKENS, "masked": _MASKED, "unmasked": None}[self._dialect.weighing],
            None if self._dialect.concurrent else _ONE_AT_A_TIME,
        )
        return tuple(remark for remark in remarks if remark is not None)

    def _try_schema(self, schema: Mapping[str, Any]) -> ServerConstraint | GrammarError:
        form = self._dialect.form
        if form is None:
            return GrammarError(f"The server holds no reply to a schema: {'; '.join(self._dialect.failures)}.")
        body = {**probe_body("Say hello.", self._served.model, self._dialect, 1), **form.fields(schema)}
        _, failure = self._loop.run(self._client.complete(body))
        if failure is None:
            return ServerConstraint(form, schema)
        if failure.retryable:
            raise EngineError(f"The schema could not be tried: {failure.words}.")
        return GrammarError(f"The server does not take the schema: {failure.words}.")


def render_none(prompts: queue.SimpleQueue[RenderPrompt], model: str | None, emit: Callable[[Event], None]) -> None:
    """Answer every request for a rendered prompt with the reason why there is none. Never returns: run it in a thread.

    The counterpart of engine.worker.prompt_rendering.render_all for servers.
    """
    while True:
        emit(PromptRendered(prompts.get().id, model or "", error=_TEMPLATE_UNKNOWN))
