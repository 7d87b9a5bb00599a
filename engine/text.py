"""Text for people: printable on any terminal, quoted, counted."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection
from datetime import date, datetime, time
from typing import Any


def printable(text: str) -> str:
    """`text` on one line, control, format and other unprintable characters as escapes: safe to send to a terminal."""
    if text.isprintable():  # nearly always, and a report calls this a million times
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii") for char in text
    )


def short_json(value: Any, limit: int = 60) -> str:
    """`value` as JSON, at most `limit` characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def did_you_mean(word: str, known: Collection[str]) -> str:
    """The hint for an unknown word: the closest known one, or all of them."""
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f'did you mean "{close[0]}"?'
    return f"known here: {', '.join(sorted(known)[:20])}{', …' if len(known) > 20 else ''}"


def type_name(value: Any) -> str:
    """TOML's name for the type of a value, with its article."""
    names: list[tuple[type | tuple[type, ...], str]] = [
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a float"),
        (str, "a string"),
        (list, "an array"),
        (dict, "a table"),
        ((date, datetime, time), "a date or time"),
    ]
    return next((name for kind, name in names if isinstance(value, kind)), "nothing")


def plural(number: int, noun: str, many: str | None = None) -> str:
    """`1 case`, `2 cases`."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"
