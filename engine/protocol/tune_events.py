"""The events of a tune: `jsonbreak tune --json-lines` writes them for the interface, one JSON object per line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from engine.protocol.events import Failed, Loading, ModelReady, Remark


@dataclass(frozen=True, slots=True)
class TuneBegun:
    """The model is loaded and training begins."""

    steps: int
    """In all."""
    rows: int
    """Of the training data."""
    train_cases: int
    test_cases: int
    """How many cases are held out."""
    trainable: int
    """How many weights are trained."""
    type: Literal["tune_begun"] = "tune_begun"


@dataclass(frozen=True, slots=True)
class TuneStep:
    """One step is done."""

    step: int
    steps: int
    loss: float
    """The mean over the completions' tokens of its batch, in nats, before the step."""
    seconds_left: float
    """Estimated from the steps so far."""
    type: Literal["tune_step"] = "tune_step"


@dataclass(frozen=True, slots=True)
class TuneSaved:
    """The adapter is on disk."""

    folder: Path
    seconds: float
    """Of the training alone."""
    next: tuple[str, ...]
    """Commands for the user to type next."""
    type: Literal["tune_saved"] = "tune_saved"


TuneEvent: TypeAlias = Loading | ModelReady | Remark | TuneBegun | TuneStep | TuneSaved | Failed

Emit: TypeAlias = Callable[[TuneEvent], None]

_EVENTS: TypeAdapter[TuneEvent] = TypeAdapter(Annotated[TuneEvent, Field(discriminator="type")])


def encode(event: TuneEvent) -> bytes:
    """One line of JSON, line break included."""
    return _EVENTS.dump_json(event) + b"\n"


def decode(line: bytes | str) -> TuneEvent:
    """The event of a line. Raises pydantic.ValidationError on anything else."""
    return _EVENTS.validate_json(line)
