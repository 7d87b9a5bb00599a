"""What a decoder tells of its jobs while it works, on this machine or on a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from engine.records import Arm, Fork


@dataclass(frozen=True, slots=True)
class Begun:
    """A request got its row. Told a second time when it has to start again, with a smaller batch."""

    id: str


@dataclass(frozen=True, slots=True)
class Grown:
    """An arm, or both while they agree, took one token that is part of the reply."""

    id: str
    arm: Arm | Literal["both"]
    text: str


@dataclass(frozen=True, slots=True)
class Parted:
    """The arms chose differently."""

    id: str
    fork: Fork


@dataclass(frozen=True, slots=True)
class LaneResult:
    """A finished arm: its whole text (prefill included), its tokens without the stop token, why it ended.

    seconds: from the job's admission to the arm's last token. p, ends: as in records.Reply.
    """

    text: str
    tokens: tuple[int, ...]
    finish: Literal["stop", "length"]
    seconds: float
    p: tuple[float, ...] = ()
    ends: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """Both arms are done. An arm is None where it could not be decoded.

    free_error: why there is no free reply. error: why there is no constrained one, None where there was no grammar.
    """

    id: str
    free: LaneResult | None
    constrained: LaneResult | None
    fork: Fork | None
    error: str | None = None
    free_error: str | None = None


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Memory ran out: the batch has at most `slots` rows from now on, and `jobs` jobs start again."""

    slots: int
    jobs: int


Happening: TypeAlias = Begun | Grown | Parted | Ended | Shrunk
