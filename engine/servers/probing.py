"""At connect: which parameters a server takes, which form of request holds a reply to a schema, what it weighs.

Servers answer 200 to what they do not know, so it is not enough that a request is taken: the reply has to show it.
"""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.errors import BadInputError, EngineError
from engine.servers.dialect import FORMS, LOGPROBS, TOKEN_IDS, Form, ServerDialect, plain_body
from engine.servers.failures import RequestFailure
from engine.servers.forks import Weighing
from engine.servers.retries import RetryingClient
from engine.servers.streams import PartialReply

if TYPE_CHECKING:
    from engine.servers.dialect import Schema

# No model writes these words of itself, nor does any chat template hold them.
_KEY, _VALUES = "zqx", ("kwv", "pfj")
SCHEMA: Schema = {
    "type": "object",
    "properties": {_KEY: {"type": "string", "enum": list(_VALUES)}},
    "required": [_KEY],
    "additionalProperties": False,
}
_QUESTION, _LONG_QUESTION = "Say hello.", "Count from one to fifty in words."
_TOKENS = 200  # vLLM's grammars let a model put line breaks between any two signs, and small models do
_TOGETHER_TOKENS = 16
_MASKED = -2.0  # mean natural logarithm: forced words are near 0 under the mask, below -4 without it


async def probe(asking: RetryingClient, model: str) -> ServerDialect:
    """Learn it. Raises EngineError, or BadInputError, where the server answers not even a plain question."""
    traits = await _parameters(asking, model)
    failures = []
    for form in FORMS:
        body = {**plain_body(_QUESTION, model, traits, _TOKENS), **form.fields(SCHEMA)}
        reply, trouble = await asking.whole(body, enough=_decided)
        if reply is not None and _holds(reply.text):
            traits = replace(traits, form=form, weighing=_weighing(reply))
            break
        failures.append(f"{form.name}: {_failure(form, trouble)}")
    else:
        plain, _ = await asking.whole(plain_body(_QUESTION, model, traits, 1))
        traits = replace(traits, weighing="unmasked" if plain is not None and plain.tokens else "none")
    return replace(traits, failures=tuple(failures), together=await _answers_together(asking, model, traits))


async def _parameters(asking: RetryingClient, model: str) -> ServerDialect:
    """The fullest request that is taken: with the tokens' probabilities and ids, or without."""
    trouble: RequestFailure | None = None
    for limit in ("max_tokens", "max_completion_tokens"):
        for extras in ({**LOGPROBS, **TOKEN_IDS}, LOGPROBS, {}):
            traits = ServerDialect(limit, extras)
            reply, failed = await asking.whole(plain_body(_QUESTION, model, traits, 1))
            if reply is not None:
                return traits
            trouble = failed
            if failed is not None and (failed.refused or failed.away):
                break
    assert trouble is not None
    sentence = f"The server does not answer a plain question: {trouble.words}."
    raise EngineError(sentence) if trouble.again else BadInputError(sentence)


def _decided(text: str) -> bool:
    """Whether a reply so far shows that the schema holds it, or that it does not."""
    return _holds(text) or (bool(text.strip()) and not text.lstrip().startswith("{"))


def _holds(text: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, dict) and list(value) == [_KEY] and value[_KEY] in _VALUES


def _failure(form: Form, trouble: RequestFailure | None) -> str:
    return trouble.words if trouble is not None else "the server took it and did not heed it"


def _weighing(reply: PartialReply) -> Weighing:
    """Whether forced words are as probable as the grammar makes them, or as improbable as they are to the model."""
    logs = [math.log(max(token.taken.p or 0.0, 1e-30)) for token in reply.body]
    if not logs:
        return "none"
    return "masked" if sum(logs) / len(logs) > _MASKED else "unmasked"


async def _answers_together(asking: RetryingClient, model: str, traits: ServerDialect) -> bool:
    """Whether two requests at once leave each other alone. llama_cpp.server ends the first when the second comes."""
    body = plain_body(_LONG_QUESTION, model, traits, _TOGETHER_TOKENS)
    both = [asking.whole(body, attempts=1) for _ in range(2)]
    return not any(trouble is not None and trouble.cut for _, trouble in await asyncio.gather(*both))
