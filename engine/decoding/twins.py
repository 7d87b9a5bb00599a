"""What the decoder works on: requests, the twin that one becomes while it is decoded, and its rows in the batch."""

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
    """One job for the decoder."""

    id: str
    tokens: Sequence[int]
    """The whole prompt, including the prefilled beginning of the reply."""
    prefill: str
    seed: int
    grammar: Grammar | None
    """None: the free arm is decoded alone."""
    think: Think | None = None
    """Both arms think first; the grammar holds for what follows."""


@dataclass(slots=True, eq=False)
class ArmState:
    """What has been decoded of one arm of one job."""

    stream: TextStream
    generator: torch.Generator | None
    """The source of its draws, None when decoding is greedy. Arms that decode in step share one."""
    max_tokens: int
    thinking: Thinking | None = None
    """None where the arm does not think, or no longer."""
    grammar_state: State = None
    """Of the constrained arm, once it has finished thinking."""
    tokens: list[int] = field(default_factory=list)
    p: list[float] = field(default_factory=list)
    """Of each token, as in records.Reply."""
    ends: list[int] = field(default_factory=list)
    """Of each token, as in records.Reply."""
    finish: Literal["stop", "length"] | None = None
    seconds: float = 0.0
    error: str | None = None
    """Why the arm could not be decoded to its end."""


@dataclass(slots=True, eq=False)
class Twin:
    """A job in flight."""

    request: Request
    arms: dict[Arm, ArmState]
    chars: int
    """The length of the text that the arms share."""
    started: float
    fork: Fork | None = None

    @property
    def done(self) -> bool:
        """Whether every arm has finished."""
        return all(arm.finish for arm in self.arms.values())


@dataclass(slots=True, eq=False)
class Row:
    """One sequence of the batch: an arm of a job, or both while they agree."""

    twin: Twin
    arms: tuple[Arm, ...]
    length: int
    """How many of its tokens have been computed, which is how many the KV cache holds."""
    token: int | None = None
    """What the next forward pass appends to it; None until its first token has been selected."""
    slot: int = -1
    """Its place in the batch, -1 while it waits for one."""


@dataclass(frozen=True, slots=True)
class WaitingFork:
    """A forked arm that found no free slot.

    It continues from the first `row.length` tokens of `source`, which never change: the arm gets a copy of them when a
    slot becomes free, or takes over the slot of `source` when that has finished.
    """

    row: Row
    source: Row
