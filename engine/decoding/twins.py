"""What the twin-row loop works on: requests, their two lanes, rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch

from engine.decoding.detokenizer import TextStream
from engine.decoding.thinking import Think, Thinking
from engine.grammars.grammar import Grammar, State
from engine.records import Arm, Fork


@dataclass(frozen=True, slots=True)
class Request:
    """One job for the decoder. `tokens` is the whole prompt, the prefilled beginning of the reply included.

    grammar None: the free arm alone. think: both arms think first, and the grammar holds for what follows.
    """

    id: str
    tokens: Sequence[int]
    prefill: str
    seed: int
    grammar: Grammar | None
    think: Think | None = None


@dataclass(slots=True, eq=False)
class ArmState:
    """What one arm of one job has become so far. `state` is the grammar's, in the constrained arm once it has thought.

    generator: the source of its draws, None when decoding is greedy. Lanes that decode in step share one.
    p, ends: of each token, as in records.Reply. limit: how many tokens it may take.
    thinking: None where there is none, or no more. error: why it was given up.
    """

    stream: TextStream
    generator: torch.Generator | None
    limit: int
    thinking: Thinking | None = None
    state: State = None
    tokens: list[int] = field(default_factory=list)
    p: list[float] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    finish: Literal["stop", "length"] | None = None
    seconds: float = 0.0
    error: str | None = None


@dataclass(slots=True, eq=False)
class Twin:
    """A job in flight: its lanes, and where they parted. chars: how much text they share."""

    request: Request
    lanes: dict[Arm, ArmState]
    chars: int
    started: float
    fork: Fork | None = None

    @property
    def done(self) -> bool:
        """Whether every arm has ended."""
        return all(lane.finish for lane in self.lanes.values())


@dataclass(slots=True, eq=False)
class Row:
    """One row of the batch: the arms it still serves and the token it will be given next."""

    twin: Twin
    arms: tuple[Arm, ...]
    token: int = -1


@dataclass(frozen=True, slots=True)
class WaitingFork:
    """A forked arm that found no free row. It goes on from the first `length` tokens of `source`.

    Those stay as they are: the arm gets a copy when there is room, or the row itself when `source` has ended.
    """

    row: Row
    source: Row
    length: int
