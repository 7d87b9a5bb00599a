"""The official client, and what a server says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import httpx2
from openai import AsyncOpenAI

from engine.errors import BadInputError, EngineError
from engine.servers.failures import FAILURES, said, trouble_of
from engine.servers.spec import ServerSpec
from engine.text import printable

if TYPE_CHECKING:
    from openai.types import Model


import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import TypeVar

_Result = TypeVar("_Result")


class LoopThread:
    """Runs coroutines from other threads, for as long as the process lives."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="requests", daemon=True).start()

    def start(self, work: Coroutine[Any, Any, _Result]) -> Future[_Result]:
        """Begin with it; the result comes later. Cancelling it cancels the work."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Do it and wait for the result. Where the wait is interrupted, by ctrl+c say, the work is cancelled."""
        future = self.start(work)
        try:
            return future.result()
        finally:
            future.cancel()


_TOLD = ("owned_by", "root", "parent", "max_model_len")  # of a model; not when it was loaded
_NO_KEY = "EMPTY"  # what vLLM's documentation has: the client asks for a key where the server needs none


def open_client(spec: ServerSpec) -> AsyncOpenAI:
    """It asks once and waits for as long as it takes: engine.servers.retries has the patience, for streams too."""
    timeout = httpx2.Timeout(None, connect=spec.patience.connect)
    return AsyncOpenAI(base_url=spec.url, api_key=spec.key or _NO_KEY, max_retries=0, timeout=timeout)


@dataclass(frozen=True, slots=True)
class Served:
    """What answers.

    models: what the server tells of each that it lists, by name. version: its own, None where it does not tell.
    """

    model: str
    models: Mapping[str, Mapping[str, Any]]
    version: str | None

    def says(self, model: str) -> dict[str, Any]:
        """For the manifest: what the server tells of what answers, and of itself."""
        return {"model": dict(self.models.get(model, {})), "version": self.version}


async def look(client: AsyncOpenAI, spec: ServerSpec) -> Served:
    """The model that is asked for, or the only one.

    Raises EngineError where no server answers, and BadInputError where it has no such model or takes no such key.
    """
    try:
        models = [model async for model in client.models.list()]
    except FAILURES as error:
        trouble = trouble_of(error, spec.key)
        where = f"--server {spec.url}"
        if trouble.refused:
            raise BadInputError(f"{where}: {trouble.words}; name the variable with its key by --api-key-env.") from None
        if spec.model is None or trouble.away:
            remedy = "" if trouble.away else "; name the model with --model"
            raise EngineError(f"{where}: {trouble.words}{remedy}.") from None
        models = []  # a server need not list them
    told = {model.id: _told(model) for model in models}
    return Served(spec.model or _only(told), told, await _version(client, spec))


def _only(models: Mapping[str, Mapping[str, Any]]) -> str:
    names = [name for name, told in models.items() if told.get("parent") is None]  # those that have one are adapters
    if len(names) == 1:
        return names[0]
    if not names:
        raise BadInputError("--server: the server lists no models; name one with --model.")
    shown_names = printable(", ".join(names[:20])) + (", …" if len(names) > 20 else "")
    raise BadInputError(f"--server: the server has several models; name one with --model: {shown_names}.")


def _told(model: Model) -> dict[str, Any]:
    facts = model.model_dump()
    return {key: facts[key] for key in _TOLD if isinstance(facts.get(key), str | int)}


async def _version(client: AsyncOpenAI, spec: ServerSpec) -> str | None:
    """What GET /version says, which vLLM has."""
    try:
        answer = await client.get(urljoin(spec.url, "/version"), cast_to=httpx2.Response)
        version = answer.json().get("version")
    except (*FAILURES, ValueError, AttributeError):
        return None
    return said(version, spec.key) if version else None
