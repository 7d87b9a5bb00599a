"""A model behind an OpenAI-compatible server, as a run sees it: see engine.backends."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from engine.backends import AdapterInUse, GrammarError, Plan, Unenforced
from engine.errors import BadInputError, EngineError
from engine.per_schema import schema_key
from engine.protocol.commands import GrammarKind, RenderPrompt
from engine.protocol.events import Event, Loading, PromptRendered
from engine.records import Arm
from engine.servers.capabilities import Abilities
from engine.servers.client import LoopThread, Served, look, open_client
from engine.servers.concurrency import ConcurrencyLimiter
from engine.servers.decoder import ServerDecoder
from engine.servers.dialect import Form, ServerDialect, body_of, plain_body
from engine.servers.in_flight import Request
from engine.servers.probing import probe
from engine.servers.retries import RetryingClient
from engine.servers.spec import ServerSpec
from engine.suites.jobs import Job
from engine.suites.tables import Generation
from engine.text import did_you_mean, printable

_NO_TOKENS = "The server does not tell of the tokens: there are no probabilities, and forks are found in the texts."
_MASKED = "The server weighs a constrained reply's tokens under the grammar, so their own probabilities are not kept."
_ALONE = "The server ends a reply when it is asked for another: it is asked one thing at a time."


@dataclass(frozen=True, slots=True)
class FormOfSchema:
    """A schema that the server holds replies to, and how it is asked to. What it leaves out it does not tell."""

    form: Form
    schema: Mapping[str, Any]
    unenforced: tuple[Unenforced, ...] = ()

    @property
    def backend(self) -> str:
        """The name of the form."""
        return self.form.name


class ServerBackend:
    """Use `connect`."""

    device, precision = "server", "its own precision"
    search_unavailable_reason: str | None = (
        "A search decodes with a model on this machine; start jsonbreak with --model and without --server."
    )

    def __init__(
        self, spec: ServerSpec, loop: LoopThread, asking: RetryingClient, served: Served, traits: ServerDialect
    ) -> None:
        self._spec, self._loop, self._asking, self._served, self._traits = spec, loop, asking, served, traits
        self._abilities = Abilities(loop, asking, served.model, traits)
        self._forms: dict[str, FormOfSchema | GrammarError] = {}
        self.name, self._answering = printable(served.model), served.model

    @classmethod
    def connect(cls, spec: ServerSpec, report: Callable[[Loading], None]) -> ServerBackend:
        """Find out who answers and what it does. Raises BadInputError and EngineError, with the reason."""
        report(Loading(f"asking {spec.url} what it serves"))
        loop, client = LoopThread(), open_client(spec)
        asking = RetryingClient(client, spec.key, spec.patience)
        served = loop.run(look(client, spec))
        report(Loading(f"trying how {printable(served.model)} is held to a schema"))
        return cls(spec, loop, asking, served, loop.run(probe(asking, served.model)))

    def use_adapter(self, name: str | None) -> AdapterInUse | None:
        """See Backend. A server serves its adapters as models of their own names."""
        models = self._served.models
        if name is not None and models and name not in models:
            remedy = printable(did_you_mean(name, models))
            raise BadInputError(f"--adapter {printable(name)}: the server has none of that name; {remedy}.")
        self._answering = name or self._served.model
        if name is None:
            return None
        parent = models.get(name, {}).get("parent")
        return AdapterInUse(name, None, None, str(parent) if parent else None, None, ())

    def grammar(
        self, schema: Mapping[str, Any], seconds: float, report: Callable[[Loading], None], kind: GrammarKind = "auto"
    ) -> FormOfSchema:
        """The form that holds on this server, tried with this schema. Raises GrammarError: why there is none."""
        key = schema_key(schema)
        if key not in self._forms:
            report(Loading("trying the schema on the server"))
            self._forms[key] = self._tried(schema)
        outcome = self._forms[key]
        if isinstance(outcome, GrammarError):
            raise outcome
        return outcome

    def plan(
        self,
        jobs: Sequence[Job],
        grammar_of: Callable[[Job], FormOfSchema | None],
        generation: Generation,
        batch: int | None = None,
    ) -> Plan:
        """Queue the jobs. What the server cannot do of a prompt, the plan says."""
        impossible: dict[str, str] = {}
        unconstrained: dict[str, str] = {}
        decoder = ServerDecoder(self._loop, self._asking, self._pace(), self._traits.weighing)
        for job in jobs:
            able = self._abilities.of(job)
            if able.impossible is not None:
                impossible[job.id] = able.impossible
                continue
            body = {**body_of(job, self._answering, generation, self._traits), **able.fields}
            bodies: dict[Arm, dict[str, Any]] = {"free": body}
            held = grammar_of(job)
            if held is not None and able.unconstrained is not None:
                unconstrained[job.id] = able.unconstrained
            elif held is not None:
                bodies["constrained"] = body | held.form.fields(held.schema)
            decoder.submit(Request(job.id, bodies, job.prefill, job.think_close))
        return Plan(decoder, impossible, unconstrained, {}, None, (*self._remarks(), *self._abilities.remarks))

    def describe(self) -> dict[str, Any]:
        """What the manifest says of it, beside its name."""
        return {
            "whitespace_pattern": None,
            "versions": {"openai": version("openai")},
            "server": self._served.says(self._answering) | self._traits.describe() | {"answering": self._answering},
            "server_url": self._spec.url,
        }

    def _pace(self) -> ConcurrencyLimiter:
        if not self._traits.together:
            return ConcurrencyLimiter(fixed=1)
        return ConcurrencyLimiter(fixed=2 * self._spec.concurrency if self._spec.concurrency else None)

    def _remarks(self) -> tuple[str, ...]:
        form = self._traits.form
        held = f"The server holds replies to a schema by {form.name}." if form else None
        weighing = {"none": _NO_TOKENS, "masked": _MASKED, "unmasked": None}[self._traits.weighing]
        alone = None if self._traits.together else _ALONE
        return tuple(remark for remark in (held, weighing, alone) if remark is not None)

    def _tried(self, schema: Mapping[str, Any]) -> FormOfSchema | GrammarError:
        form = self._traits.form
        if form is None:
            return GrammarError(f"The server holds no reply to a schema: {'; '.join(self._traits.failures)}.")
        body = {**plain_body("Say hello.", self._served.model, self._traits, 1), **form.fields(schema)}
        _, trouble = self._loop.run(self._asking.whole(body))
        if trouble is None:
            return FormOfSchema(form, schema)
        if trouble.again:
            raise EngineError(f"The schema could not be tried: {trouble.words}.")
        return GrammarError(f"The server does not take the schema: {trouble.words}.")


_NOT_KNOWN = "The server puts messages through the chat template itself: how they read to the model is not known here."


def render_none(orders: queue.SimpleQueue[RenderPrompt], model: str | None, emit: Callable[[Event], None]) -> None:
    """Answer one order after another, for ever: for a thread of its own, as rendering.render_all."""
    while True:
        emit(PromptRendered(orders.get().id, model or "", error=_NOT_KNOWN))
