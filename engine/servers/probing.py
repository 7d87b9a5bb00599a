"""At connect: which parameters a server takes, which form of request holds a reply to a schema, what it weighs.

Servers answer 200 to what they do not know, so that a request is accepted proves nothing: the reply has to show it.
"""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace

from engine.errors import BadInputError, EngineError
from engine.servers.dialect import FORMS, LOGPROBS, TOKEN_IDS, Form, Schema, ServerDialect, probe_body
from engine.servers.failures import RequestFailure
from engine.servers.forks import Weighing
from engine.servers.retries import RetryingClient
from engine.servers.streams import PartialReply

# No model writes these words by itself, and no chat template contains them.
_KEY, _VALUES = "zqx", ("kwv", "pfj")
SCHEMA: Schema = {
    "type": "object",
    "properties": {_KEY: {"type": "string", "enum": list(_VALUES)}},
    "required": [_KEY],
    "additionalProperties": False,
}
_QUESTION, _LONG_QUESTION = "Say hello.", "Count from one to fifty in words."
_TOKENS = 200  # vLLM's grammars let a model put line breaks between any two tokens, and small models do
_CONCURRENT_TOKENS = 16
_MASKED = -2.0  # mean natural logarithm: forced words are near 0 under the mask, below -4 without it


async def probe(client: RetryingClient, model: str) -> ServerDialect:
    """Find the server's dialect. Raises EngineError or BadInputError if it does not answer even a plain question."""
    dialect = await _parameters(client, model)
    failures = []
    for form in FORMS:
        body = {**probe_body(_QUESTION, model, dialect, _TOKENS), **form.fields(SCHEMA)}
        reply, failure = await client.complete(body, enough=_is_settled)
        if reply is not None and _is_valid(reply.text):
            dialect = replace(dialect, form=form, weighing=_weighing(reply))
            break
        failures.append(_describe_failure(form, failure))
    else:
        plain, _ = await client.complete(probe_body(_QUESTION, model, dialect, 1))
        dialect = replace(dialect, weighing="unmasked" if plain is not None and plain.tokens else "none")
    return replace(dialect, failures=tuple(failures), concurrent=await _is_concurrent(client, model, dialect))


async def _parameters(client: RetryingClient, model: str) -> ServerDialect:
    """The dialect with the most that the server takes: the tokens' log probabilities and ids, or less."""
    last: RequestFailure | None = None
    for limit_key in ("max_tokens", "max_completion_tokens"):
        for extras in ({**LOGPROBS, **TOKEN_IDS}, LOGPROBS, {}):
            dialect = ServerDialect(limit_key, extras)
            reply, failure = await client.complete(probe_body(_QUESTION, model, dialect, 1))
            if reply is not None:
                return dialect
            last = failure
            if failure is not None and (failure.unauthorized or failure.unreachable):
                break
    assert last is not None
    sentence = f"The server does not answer a plain question: {last.words}."
    raise EngineError(sentence) if last.retryable else BadInputError(sentence)


def _is_settled(text: str) -> bool:
    """Whether a reply so far shows that the schema holds it, or that it does not."""
    return _is_valid(text) or (bool(text.strip()) and not text.lstrip().startswith("{"))


def _is_valid(text: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, dict) and list(value) == [_KEY] and value[_KEY] in _VALUES


def _describe_failure(form: Form, failure: RequestFailure | None) -> str:
    # The manifest has these words, and a run is resumed only where they are the same: they must not change.
    return f"{form.name}: {failure.words if failure is not None else 'the server took it and ignored it'}"


def _weighing(reply: PartialReply) -> Weighing:
    """Whether forced words are as probable as the grammar makes them, or as improbable as they are to the model."""
    logs = [math.log(max(token.taken.p or 0.0, 1e-30)) for token in reply.content_tokens]
    if not logs:
        return "none"
    return "masked" if sum(logs) / len(logs) > _MASKED else "unmasked"


async def _is_concurrent(client: RetryingClient, model: str, dialect: ServerDialect) -> bool:
    """Whether the server answers two requests at once. llama_cpp.server ends the first when the second arrives."""
    body = probe_body(_LONG_QUESTION, model, dialect, _CONCURRENT_TOKENS)
    both = await asyncio.gather(*(client.complete(body, attempts=1) for _ in range(2)))
    return not any(failure is not None and failure.truncated for _, failure in both)
