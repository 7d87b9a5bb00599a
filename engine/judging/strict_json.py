"""json.loads, as strict as RFC 8259: NaN and Infinity are refused, and duplicate keys are noted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded value."""

    value: Any
    repeated: bool
    """Whether an object in it has a duplicate key; the value has the last one, as with json.loads."""


def decode(text: str) -> Decoded | None:
    """The value of `text`, which may have whitespace around it; None when json.loads refuses it.

    Besides text that is not JSON, Python's limits make it refuse integers of more than 4,300 digits and deep nesting
    (about 1,000 levels in Python 3.11). What the reader cannot read is not valid, whatever the reason.
    """
    repeated = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        value = dict(pairs)
        repeated = repeated or len(value) < len(pairs)
        return value

    try:
        value = json.loads(text, object_pairs_hook=members, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return Decoded(value, repeated)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
