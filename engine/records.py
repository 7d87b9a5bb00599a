"""One finished job, as it is written to `records.jsonl` and sent to the interface. Other tools read this form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from engine.judging.verdict import Verdict

Arm = Literal["free", "constrained"]
Finish = Literal["stop", "length", "error"]
UNKNOWN_ID = -1
"""The id of a token of which a server tells only the text."""

ARMS: tuple[Arm, Arm] = ("free", "constrained")


class Message(TypedDict):
    """A chat message as chat templates take it."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token the model weighed: its text, its id and its probability under the unmasked model, temperature 1.

    A server may tell neither: then the id is UNKNOWN_ID, and the probability None.
    """

    token: str
    id: int
    p: float | None


@dataclass(frozen=True, slots=True)
class Fork:
    """The first token at which the two arms choose differently.

    token: its number in the reply, from 0; None where a server tells of no tokens.
    char: the offset in the reply's text where the arms part.
    wanted: what the free arm took, then the model's other favourites.
    allowed: what the constrained arm took, then the other favourites among the tokens the grammar allowed.
    allowed_mass: the probability of all allowed tokens together; 1 minus it is what the mask threw away. None where a
    server does not tell; `allowed` may then lack favourites, and of a server that tells of no tokens both are empty.
    """

    token: int | None
    char: int
    wanted: tuple[Candidate, ...]
    allowed: tuple[Candidate, ...]
    allowed_mass: float | None


@dataclass(frozen=True, slots=True)
class Reply:
    """The text of one arm of one job. `verdict` is None when the arm could not be decoded (finish "error").

    p: of each token, its probability under the unmasked model, temperature 1. ends: of each token, where the text that
    it completes ends, as an offset into the reply. Both are empty in runs of older versions. On a server tokens may be
    UNKNOWN_ID; there are none where it tells of none, and no `p` where it weighs only what the grammar allows.
    """

    text: str
    tokens: tuple[int, ...]
    finish: Finish
    error: str | None
    verdict: Verdict | None
    seconds: float
    p: tuple[float, ...] = ()
    ends: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A job with what came of it in both arms.

    agree: whether the values of both replies are the same, wrapped or not, by the suite's rules; None where a reply has
    none, and in runs of older versions. tags: of the case.
    """

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
    tags: tuple[str, ...] = ()

    def reply(self, arm: Arm) -> Reply:
        """The reply of one arm."""
        return self.free if arm == "free" else self.constrained
