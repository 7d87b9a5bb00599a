"""The two arms of a job on their way, side by side, and what is told of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from engine.backends import ArmResult, ArmsForked, Finished, Started, TokenAdded
from engine.records import Arm, Fork
from engine.servers.forks import ForkFinder, Weighing
from engine.servers.streams import Chunk, PartialReply

_ENDINGS = {
    "content_filter": "the server's filter cut the reply off",
    "tool_calls": "the server took the reply for the call of a tool, and kept its text",
    "function_call": "the server took the reply for the call of a function, and kept its text",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One job for a server: what is sent for each of its arms. No constrained one where nothing holds its schema.

    think_close: what stands between thoughts that the server keeps apart and the reply.
    """

    id: str
    bodies: Mapping[Arm, dict[str, Any]]
    prefill: str = ""
    think_close: str | None = None


@dataclass(slots=True)
class JobInFlight:
    """A job in flight. errors: of the arms that were given up."""

    request: Request
    weighing: Weighing
    started: float = field(default_factory=time.monotonic)
    arms: dict[Arm, PartialReply] = field(default_factory=dict)
    errors: dict[Arm, str] = field(default_factory=dict)
    fork: Fork | None = None
    _finder: ForkFinder = field(init=False)

    def __post_init__(self) -> None:
        self._finder = ForkFinder(self.weighing)

    def begin(self, arm: Arm) -> Iterator[Started | TokenAdded]:
        """An arm begins. Not for the first time, what it had said is void, and the other one's is told again."""
        again = arm in self.arms and self.arms[arm].text != self.request.prefill
        self.arms[arm] = PartialReply(self.request.prefill, len(self.request.prefill))
        self.fork, self._finder = None, ForkFinder(self.weighing)
        if again:
            yield Started(self.request.id)
            for other, reply in self.arms.items():
                if len(reply.text) > reply.start:
                    yield TokenAdded(self.request.id, other, reply.text[reply.start :])

    def grow(self, arm: Arm, piece: Chunk) -> Iterator[TokenAdded | ArmsForked]:
        """An arm has come further."""
        reply = self.arms[arm]
        text = self._with_thoughts(reply, piece)
        reply.add(replace(piece, text=text))
        reply.seconds = time.monotonic() - self.started
        if text:
            yield TokenAdded(self.request.id, arm, text)
        if self.fork is None and len(self.arms) == 2:
            self.fork = self._finder.look(self.arms["free"], self.arms["constrained"])
            if self.fork is not None:
                yield ArmsForked(self.request.id, self.fork)

    def end(self) -> Finished:
        """Both arms are done, or given up."""
        return Finished(
            self.request.id,
            self._result("free", True),
            self._result("constrained", self.weighing == "unmasked"),
            None if self.errors else self.fork,
            self.errors.get("constrained"),
            self.errors.get("free"),
        )

    def fail(self, arm: Arm, words: str) -> None:
        """An arm is given up."""
        self.errors[arm] = f"{words[:1].upper()}{words[1:]}."

    def check(self, arm: Arm) -> None:
        """An arm has ended; some endings are none of a reply."""
        ending = self.arms[arm].finish
        if ending not in ("stop", "length"):
            self.fail(arm, _ENDINGS.get(ending or "", "the server ended the reply in a way that is not known"))

    def _with_thoughts(self, reply: PartialReply, piece: Chunk) -> str:
        """The text of a piece, thoughts that the server keeps apart put before it, as the model has written them."""
        close = self.request.think_close
        if close is None:
            return piece.text
        first = piece.text and reply.thinking
        reply.thinking = bool(piece.thoughts) or (reply.thinking and not piece.text)
        return f"{close}{piece.text}" if first else piece.thoughts + piece.text

    def _result(self, arm: Arm, weighed: bool) -> ArmResult | None:
        """weighed: whether the probabilities that came with it are the model's own."""
        reply = self.arms.get(arm)
        if reply is None or arm in self.errors:
            return None
        body = reply.body
        p = tuple(token.taken.p or 0.0 for token in body) if weighed else ()
        ends = tuple(reply.ends[: len(body)])
        finish: Literal["stop", "length"] = "length" if reply.finish == "length" else "stop"
        tokens = tuple(token.taken.id for token in body)
        return ArmResult(reply.text, tokens, finish, reply.seconds, p, ends)
