"""One finished job, as it is written to `records.jsonl` and sent to the interface. Other tools read this form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from engine.judging.verdict import Verdict

Arm = Literal["free", "constrained"]
Finish = Literal["stop", "length", "error"]
UNKNOWN_ID = -1
"""The id of a token of which a server reports only the text."""

ARMS: tuple[Arm, Arm] = ("free", "constrained")

BASE = "base"
"""The name that stands for the model without an adapter."""


class Message(TypedDict):
    """A chat message as chat templates take it."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token the model considered."""

    token: str
    """Its text."""
    id: int
    """UNKNOWN_ID where a server does not report it."""
    p: float | None
    """Its probability under the unmasked model at temperature 1; None where a server does not report it."""


@dataclass(frozen=True, slots=True)
class Fork:
    """The first token at which the two arms choose differently."""

    token: int | None
    """Its number in the reply, from 0; None where a server reports no tokens."""
    char: int
    """The offset in the reply's text at which the arms diverge."""
    wanted: tuple[Candidate, ...]
    """The free arm's choice, then the model's other most probable tokens. Empty where a server reports no tokens."""
    allowed: tuple[Candidate, ...]
    """The constrained arm's choice, then the most probable of the other tokens that the grammar allowed.

    On a server it may lack some of these, and it is empty where the server reports no tokens.
    """
    allowed_mass: float | None
    """The probability of all allowed tokens together; the mask removed 1 minus it. None where not reported."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The text of one arm of one job."""

    text: str
    tokens: tuple[int, ...]
    """The token ids. On a server they may be UNKNOWN_ID; there are none where it reports no tokens."""
    finish: Finish
    error: str | None
    verdict: Verdict | None
    """None when the arm could not be decoded (finish "error")."""
    seconds: float
    p: tuple[float, ...] = ()
    """Of each token, its probability under the unmasked model at temperature 1.

    Empty in runs of older versions, and where a server computes probabilities only over what the grammar allows.
    """
    ends: tuple[int, ...] = ()
    """Of each token, the offset in the reply at which the text that it completes ends. Empty in older runs."""


@dataclass(frozen=True, slots=True)
class Record:
    """A finished job with the replies of both arms."""

    id: str
    suite: str
    prompt: str
    case: str
    variation: str | None
    repeat: int
    seed: int
    input: str
    messages: tuple[Message, ...]
    expected: Any
    free: Reply
    constrained: Reply
    fork: Fork | None
    agree: bool | None = None
    """Whether both replies have the same value, wrapped or not, under the suite's comparison rules.

    None where a reply has no value, and in runs of older versions.
    """
    tags: tuple[str, ...] = ()
    """The tags of the case."""

    def reply(self, arm: Arm) -> Reply:
        """The reply of one arm."""
        return self.free if arm == "free" else self.constrained
