"""A job whose arms are being decoded by a server, and the events that come of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from engine.backends import ArmResult, ArmsForked, Finished, Started, TokenAdded
from engine.records import Arm, Fork
from engine.servers.forks import ForkFinder, Weighing
from engine.servers.streams import Chunk, PartialReply

_NOT_A_REPLY = {
    "content_filter": "the server's filter cut the reply off",
    "tool_calls": "the server took the reply for a tool call and withheld its text",
    "function_call": "the server took the reply for a function call and withheld its text",
}


@dataclass(frozen=True, slots=True)
class JobRequest:
    """One job for a server."""

    id: str
    bodies: Mapping[Arm, dict[str, Any]]
    """The request of each arm; no constrained one where nothing holds the reply to its schema."""
    prefill: str = ""
    think_close: str | None = None
    """What is put between the thoughts that the server separates and the reply."""


@dataclass(slots=True)
class JobInFlight:
    """The two arms of a job, side by side."""

    request: JobRequest
    weighing: Weighing
    started: float = field(default_factory=time.monotonic)
    arms: dict[Arm, PartialReply] = field(default_factory=dict)
    errors: dict[Arm, str] = field(default_factory=dict)
    """Why an arm was given up, a sentence each."""
    fork: Fork | None = None
    _finder: ForkFinder = field(init=False)

    def __post_init__(self) -> None:
        self._finder = ForkFinder(self.weighing)

    def start_arm(self, arm: Arm) -> Iterator[Started | TokenAdded]:
        """An arm starts, possibly again."""
        # A retry makes void what the arm had streamed. Events cannot take text back, only restart the whole job, so the
        # other arm's text is emitted again.
        restarts = arm in self.arms and self.arms[arm].text != self.request.prefill
        self.arms[arm] = PartialReply(self.request.prefill, len(self.request.prefill))
        self.fork, self._finder = None, ForkFinder(self.weighing)
        if restarts:
            yield Started(self.request.id)
            for other, reply in self.arms.items():
                if len(reply.text) > reply.start:
                    yield TokenAdded(self.request.id, other, reply.text[reply.start :])

    def add(self, arm: Arm, chunk: Chunk) -> Iterator[TokenAdded | ArmsForked]:
        """Append a chunk to an arm."""
        reply = self.arms[arm]
        text = self._with_thoughts(reply, chunk)
        reply.add(replace(chunk, text=text))
        reply.seconds = time.monotonic() - self.started
        if text:
            yield TokenAdded(self.request.id, arm, text)
        if self.fork is None and len(self.arms) == 2:
            self.fork = self._finder.find(self.arms["free"], self.arms["constrained"])
            if self.fork is not None:
                yield ArmsForked(self.request.id, self.fork)

    def finish_arm(self, arm: Arm) -> None:
        """An arm's stream has ended. Some finish reasons mean that it is not a reply."""
        finish = self.arms[arm].finish
        if finish not in ("stop", "length"):
            self.fail_arm(arm, _NOT_A_REPLY.get(finish or "", "the server ended the reply for an unknown reason"))

    def fail_arm(self, arm: Arm, words: str) -> None:
        """Give an arm up."""
        self.errors[arm] = f"{words[:1].upper()}{words[1:]}."

    def result(self) -> Finished:
        """The event for the end of both arms."""
        return Finished(
            self.request.id,
            self._arm_result("free", own_probabilities=True),
            self._arm_result("constrained", own_probabilities=self.weighing == "unmasked"),
            None if self.errors else self.fork,
            self.errors.get("constrained"),
            self.errors.get("free"),
        )

    def _with_thoughts(self, reply: PartialReply, chunk: Chunk) -> str:
        """The text of a chunk with separated thoughts put back before the reply, as the model wrote them."""
        close = self.request.think_close
        if close is None:
            return chunk.text
        ends_thoughts = chunk.text and reply.thinking
        reply.thinking = bool(chunk.thoughts) or (reply.thinking and not chunk.text)
        return f"{close}{chunk.text}" if ends_thoughts else chunk.thoughts + chunk.text

    def _arm_result(self, arm: Arm, *, own_probabilities: bool) -> ArmResult | None:
        """own_probabilities: whether the reported probabilities are the model's own."""
        reply = self.arms.get(arm)
        if reply is None or arm in self.errors:
            return None
        tokens = reply.content_tokens
        finish: Literal["stop", "length"] = "length" if reply.finish == "length" else "stop"
        ids = tuple(token.taken.id for token in tokens)
        p = tuple(token.taken.p or 0.0 for token in tokens) if own_probabilities else ()
        return ArmResult(reply.text, ids, finish, reply.seconds, p, tuple(reply.ends[: len(tokens)]))
