"""A chat completions server that fails on demand: for faults that a real one cannot be made to show.

It answers like one that obeys json_schema and reports its tokens. A test gives it a `fault`: what it does instead.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["status", "half", "silence", "cut", "no-end", "error-event", "junk"]


@dataclass(frozen=True)
class Fault:
    """What the server does wrong."""

    kind: Kind
    """status: an HTTP error with `headers`. The others start a reply and then end a chunk in its middle, send nothing
    more, close the connection, end without a finish reason, send an error, send something that is not JSON."""
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "out of order"


Decide = Callable[[dict[str, Any], int], Fault | None]


@dataclass
class Asked:
    """A request as it arrived."""

    body: dict[str, Any]
    at: float
    """Seconds, by the loop's clock."""
    key: str
    """What it was authorised with."""
    aborted: bool = False


class FaultyServer:
    """Serves on loopback, on a port of its own, until `close`. fault: by the request's body and its number, from 0."""

    def __init__(self, fault: Decide | None = None, port: int = 0) -> None:
        self.fault: Decide = fault or (lambda body, number: None)
        self.asked: list[Asked] = []
        self.most_at_once = self._now = 0
        self.pause = 0.0  # seconds before each token
        self.thoughts = ""  # sent before a reply that may think, separate from it
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", port, limit=1 << 24), self._loop
        )
        self._server = starting.result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._writers: set[asyncio.StreamWriter] = set()

    def close(self) -> None:
        """Die: refuse new connections and abort those that are open."""

        async def end() -> None:
            self._server.close()
            for writer in self._writers:
                writer.transport.abort()
            answering = asyncio.all_tasks() - {asyncio.current_task()}
            for task in answering:
                task.cancel()
            await asyncio.gather(*answering, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.splitlines()
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length") or 0))
                await self._answer(first.split()[1], body, headers.get("authorization", ""), writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, path: str, body: bytes, key: str, writer: asyncio.StreamWriter) -> None:
        if path == "/v1/models":
            await _whole(
                writer, 200, {"object": "list", "data": [{"id": "fake", "object": "model", "owned_by": "test"}]}
            )
        elif path == "/version":
            await _whole(writer, 200, {"version": "1.0"})
        else:
            asked = Asked(json.loads(body), self._loop.time(), key)
            self.asked.append(asked)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            try:
                await self._chat(asked, len(self.asked) - 1, writer)
            except ConnectionError:
                asked.aborted = True
                raise
            finally:
                self._now -= 1

    async def _chat(self, asked: Asked, number: int, writer: asyncio.StreamWriter) -> None:
        fault = self.fault(asked.body, number)
        if fault is not None and fault.kind == "status":
            await _whole(writer, fault.status, {"error": {"message": fault.message}}, fault.headers)
            return
        tokens = tokens_of(reply_to(asked.body))
        if not asked.body.get("stream"):
            usage = {"prompt_tokens": prompt_tokens(asked.body), "completion_tokens": len(tokens), "total_tokens": 0}
            message = {"role": "assistant", "content": "".join(tokens)}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "fake", "choices": [choice]}
            await _whole(writer, 200, whole | {"usage": usage})
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        if self.thoughts and asked.body.get("thinking_token_budget"):
            await _event(writer, _chunk({"reasoning": self.thoughts}, None))
        for position, token in enumerate(tokens):
            if fault is not None and position == 2:
                await self._fail(fault, writer)
                return
            await asyncio.sleep(self.pause)
            await _event(writer, _chunk({"content": token}, _weighed(token) if asked.body.get("logprobs") else None))
        await _event(writer, _chunk({}, None, "stop"))
        await _event(writer, "[DONE]")
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _fail(self, fault: Fault, writer: asyncio.StreamWriter) -> None:
        match fault.kind:
            case "silence":
                await asyncio.sleep(3600)
            case "half":
                writer.write(b'40\r\ndata: {"id": "1", "choi')  # it was to be 0x40 bytes
                await writer.drain()
                raise ConnectionResetError
            case "cut":
                raise ConnectionResetError
            case "error-event":
                await _event(writer, {"error": {"message": fault.message}})
            case "junk":
                await _event(writer, "{not json")
            case "no-end":
                await _event(writer, "[DONE]")
        writer.write(b"0\r\n\r\n")
        await writer.drain()


def reply_to(body: dict[str, Any]) -> str:
    """Its reply: a value of the schema that it is given, otherwise no JSON at all."""
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    return json.dumps(_value(schema)) if schema else "There is nothing to say of that."


def tokens_of(text: str) -> list[str]:
    """A token for every four characters."""
    return [text[start : start + 4] for start in range(0, len(text), 4)]


def prompt_tokens(body: dict[str, Any]) -> int:
    """As with a template: what it ignores changes nothing."""
    closing = 0 if body.get("continue_final_message") else 3
    return sum(len(message["content"]) for message in body["messages"]) + closing


def _value(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: _value(each) for name, each in schema.get("properties", {}).items()}
        case "integer" | "number":
            return 30
        case _:
            return "Alice"


def _chunk(delta: dict[str, Any], logprobs: Any, finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "fake", "choices": [choice]}


def _weighed(token: str) -> dict[str, Any]:
    top = [{"token": token, "logprob": -0.1, "bytes": None}, {"token": "other", "logprob": -3.0, "bytes": None}]
    return {"content": [{"token": token, "logprob": -0.1, "bytes": None, "top_logprobs": top}]}


async def _event(writer: asyncio.StreamWriter, data: Any) -> None:
    text = f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()
    writer.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
    await writer.drain()


async def _whole(writer: asyncio.StreamWriter, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
    text = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", f"Content-Length: {len(text)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + text)
    await writer.drain()
