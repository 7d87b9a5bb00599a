"""The official client, the event loop that it runs in, and what a server reports about itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin

import httpx2
from openai import AsyncOpenAI

from engine.errors import BadInputError, EngineError
from engine.servers.failures import FAILURES, failure_of, quoted_reply
from engine.servers.spec import ServerSpec
from engine.text import printable

if TYPE_CHECKING:
    from openai.types import Model

_Result = TypeVar("_Result")
_REPORTED = ("owned_by", "root", "parent", "max_model_len")  # of a model; not `created`, which differs at each start
_NO_KEY = "EMPTY"  # as in vLLM's documentation: the client refuses an empty key, servers without keys ignore it
_SHOWN_MODELS = 20


class LoopThread:
    """An event loop in a thread of its own, which runs coroutines for other threads until the process exits."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="requests", daemon=True).start()

    def start(self, work: Coroutine[Any, Any, _Result]) -> Future[_Result]:
        """Start a coroutine. Cancelling the future cancels it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Run a coroutine and wait for its result. If the wait is interrupted (ctrl+c), it is cancelled."""
        future = self.start(work)
        try:
            return future.result()
        finally:
            future.cancel()


@dataclass(frozen=True, slots=True)
class Served:
    """What a server serves."""

    model: str
    """The name of the model that is asked for."""
    models: Mapping[str, Mapping[str, Any]]
    """What the server reports about each model that it lists, by name."""
    version: str | None
    """The server's own version; None if it does not report one."""

    def describe(self, model: str) -> dict[str, Any]:
        """For the manifest: what the server reports about a model and about itself."""
        return {"model": dict(self.models.get(model, {})), "version": self.version}


def open_client(spec: ServerSpec) -> AsyncOpenAI:
    """A client without retries or a read timeout of its own: engine.servers.retries has both, for streams too."""
    timeout = httpx2.Timeout(None, connect=spec.retry.connect)
    return AsyncOpenAI(base_url=spec.url, api_key=spec.key or _NO_KEY, max_retries=0, timeout=timeout)


async def inspect_server(client: AsyncOpenAI, spec: ServerSpec) -> Served:
    """The model that is asked for, or the only one.

    Raises EngineError if no server answers, and BadInputError for a missing model or a key that is not accepted.
    """
    try:
        models = [model async for model in client.models.list()]
    except FAILURES as error:
        failure = failure_of(error, spec.key)
        where = f"--server {spec.url}"
        if failure.unauthorized:
            remedy = "name the variable with its key by --api-key-env"
            raise BadInputError(f"{where}: {failure.words}; {remedy}.") from None
        if spec.model is None or failure.unreachable:
            remedy = "" if failure.unreachable else "; name the model with --model"
            raise EngineError(f"{where}: {failure.words}{remedy}.") from None
        models = []  # a server need not list them
    reported = {model.id: _reported(model) for model in models}
    return Served(spec.model or _only_model(reported), reported, await _version(client, spec))


def _only_model(models: Mapping[str, Mapping[str, Any]]) -> str:
    names = [name for name, reported in models.items() if reported.get("parent") is None]  # adapters have a parent
    if len(names) == 1:
        return names[0]
    if not names:
        raise BadInputError("--server: the server lists no models; name one with --model.")
    shown = printable(", ".join(names[:_SHOWN_MODELS])) + (", …" if len(names) > _SHOWN_MODELS else "")
    raise BadInputError(f"--server: the server has several models; name one with --model: {shown}.")


def _reported(model: Model) -> dict[str, Any]:
    facts = model.model_dump()
    return {key: facts[key] for key in _REPORTED if isinstance(facts.get(key), str | int)}


async def _version(client: AsyncOpenAI, spec: ServerSpec) -> str | None:
    """The answer to GET /version, which vLLM has."""
    try:
        answer = await client.get(urljoin(spec.url, "/version"), cast_to=httpx2.Response)
        version = answer.json().get("version")
    except (*FAILURES, ValueError, AttributeError):
        return None
    return quoted_reply(version, spec.key) if version else None
