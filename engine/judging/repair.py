"""Could a repair library have rescued a reply? Extra information: a repaired reply is never counted as valid.

The library is json_repair, the one in common use. It backtracks on some replies (measured: 14 s for 4,000 characters
of `-]a{`) and is recursive, hence the limits. None of them is a time, so that the answer is the same on every machine.
"""

from __future__ import annotations

import sys
from typing import Any

from jsonschema.protocols import Validator

from engine.judging.shape import schema_violations

MOST_CHARACTERS = 10_000
MOST_BRACKETS = 100  # open at once
MOST_CALLS = 200_000  # function calls inside the library; a real reply takes about 20 per character
_DEPTH = {"[": 1, "{": 1, "(": 1, "]": -1, "}": -1, ")": -1}


class _TooLong(BaseException):
    """Not an Exception, so that no handler in the library catches it."""


def repairable(text: str, validator: Validator) -> bool | None:
    """Whether json_repair turns a reply into a value that satisfies the schema; None where a limit was exceeded."""
    if len(text) > MOST_CHARACTERS or _too_nested(text):
        return None
    try:
        repaired = _repaired(text)
    except _TooLong:
        return None
    except Exception:  # hostile text may make the library raise anything: it returned no value
        return False
    return repaired != "" and not schema_violations(validator, repaired)  # json_repair returns "" for no JSON at all


def _too_nested(text: str) -> bool:
    depth = 0
    for char in text:
        depth = max(0, depth + _DEPTH.get(char, 0))
        if depth > MOST_BRACKETS:
            return True
    return False


def _repaired(text: str) -> Any:
    """What json_repair returns for a text. Raises _TooLong when that takes too many calls."""
    from json_repair import loads  # imported late: few replies need it

    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls > MOST_CALLS:
            sys.setprofile(None)
            raise _TooLong

    # A profile function is the only hook that can interrupt code of another library after a number of calls.
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        return loads(text)
    finally:
        sys.setprofile(before)
