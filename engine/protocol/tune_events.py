"""What a tune says while it works: `jsonbreak tune --json-lines` writes it for the interface, a JSON object a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from engine.protocol.events import Failed, Loading, ModelReady, Remark


@dataclass(frozen=True, slots=True)
class TuneBegun:
    """The model is there and training begins. steps: in all. rows, train_cases: trained on; test_cases: kept back."""

    steps: int
    rows: int
    train_cases: int
    test_cases: int
    trainable: int
    type: Literal["tune_begun"] = "tune_begun"


@dataclass(frozen=True, slots=True)
class TuneStep:
    """One step is done. loss: the mean over the completions' tokens of its batch, in nats, before the step.

    seconds_left: by the steps so far.
    """

    step: int
    steps: int
    loss: float
    seconds_left: float
    type: Literal["tune_step"] = "tune_step"


@dataclass(frozen=True, slots=True)
class TuneSaved:
    """The adapter is on disk. seconds: the training alone. next: the commands that come after, to be typed."""

    folder: Path
    seconds: float
    next: tuple[str, ...]
    type: Literal["tune_saved"] = "tune_saved"


TuneEvent: TypeAlias = Loading | ModelReady | Remark | TuneBegun | TuneStep | TuneSaved | Failed

Tell: TypeAlias = Callable[[TuneEvent], None]

_EVENTS: TypeAdapter[TuneEvent] = TypeAdapter(Annotated[TuneEvent, Field(discriminator="type")])


def encode(event: TuneEvent) -> bytes:
    """One line of JSON, line break included."""
    return _EVENTS.dump_json(event) + b"\n"


def decode(line: bytes | str) -> TuneEvent:
    """The event of a line. Raises pydantic.ValidationError on anything else."""
    return _EVENTS.validate_json(line)
