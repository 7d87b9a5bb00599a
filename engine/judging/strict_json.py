"""json.loads, as strict as RFC 8259: NaN and Infinity are refused, and keys that come twice are noticed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn


@dataclass(frozen=True, slots=True)
class Decoded:
    """A value. repeated: an object in it had a key twice; as json.loads has it, the last one is in the value."""

    value: Any
    repeated: bool


def decode(text: str) -> Decoded | None:
    """The value that `text` is, whitespace around it aside; None when json.loads does not take it.

    It does not take what is not JSON, and by limits of Python also not integers of more than 4,300 digits and deep
    nesting (about 1,000 levels in Python 3.11). What a reader cannot read is not valid, whatever the reason.
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
