"""Would a repair library have rescued a reply? Extra information: what is repaired is never counted as valid.

The library is json_repair, the one in common use. It goes back over the text for some replies (measured: 14 s for
4,000 characters of `-]a{`) and is recursive: hence the limits. None of them is a time, so that the answer is the same
on every machine.
"""

from __future__ import annotations

import sys
from typing import Any

from jsonschema.protocols import Validator

from engine.judging.shape import shape_faults

MOST_CHARACTERS = 10_000
MOST_BRACKETS = 100  # open at once
MOST_CALLS = 200_000  # of functions, inside the library; a real reply takes about 20 a character
_DEPTH = {"[": 1, "{": 1, "(": 1, "]": -1, "}": -1, ")": -1}


class _TooLong(BaseException):
    """Not an Exception, so that the library cannot take it for one of its own."""


def repairable(text: str, validator: Validator) -> bool | None:
    """Whether json_repair makes a value of a reply that satisfies the schema; None where it was not or only begun."""
    if len(text) > MOST_CHARACTERS or _too_nested(text):
        return None
    try:
        repaired = _repaired(text)
    except _TooLong:
        return None
    except Exception:  # whatever a library's reader may raise on hostile text: it made no value
        return False
    return repaired != "" and not shape_faults(validator, repaired)  # which stands for no JSON at all


def _too_nested(text: str) -> bool:
    depth = 0
    for char in text:
        depth = max(0, depth + _DEPTH.get(char, 0))
        if depth > MOST_BRACKETS:
            return True
    return False


def _repaired(text: str) -> Any:
    """What json_repair makes of a text. Raises _TooLong when that takes too many calls."""
    from json_repair import loads  # here, because few replies need it

    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls > MOST_CALLS:
            sys.setprofile(None)
            raise _TooLong

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        return loads(text)
    finally:
        sys.setprofile(before)
