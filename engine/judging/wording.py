"""Words for values, keys and paths. What a model wrote is hostile: it is quoted, escaped and cut short here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from engine import json_pointer as pointers
from engine.text import printable

Path: TypeAlias = tuple[str | int, ...]

QUOTED_CHARACTERS = 40
_IN_STRING = {'"': '\\"', "\\": "\\\\"}
_ARTICLES = {"integer": "an integer", "array": "an array", "object": "an object", "null": "null"}


def excerpt(text: str) -> str:
    """`text` cut to 40 characters, everything that a terminal could act on (controls, bidi marks) as an escape."""
    return _shortened(text, {})


def quote(text: str) -> str:
    """`text` as a JSON string, cut to 40 characters, safe to print."""
    return f'"{_shortened(text, _IN_STRING)}"'


def _shortened(text: str, escapes: Mapping[str, str]) -> str:
    short = "".join(escapes.get(char) or printable(char) for char in text[:QUOTED_CHARACTERS])
    return short + "…" if len(text) > QUOTED_CHARACTERS else short


def show(value: Any) -> str:
    """A JSON value for a sentence: scalars as JSON has them, containers by their size."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, dict):
        return f"an object with {count(len(value), 'key')}" if value else "{}"
    if isinstance(value, list):
        return f"an array of {count(len(value), 'item')}" if value else "[]"
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else excerpt(repr(value))


def type_of(value: Any) -> str:
    """The JSON Schema type of a value, with its article."""
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
        (dict, "object"),
    )
    return with_article(next((name for kind, name in kinds if isinstance(value, kind)), "null"))


def with_article(kind: str) -> str:
    """A JSON Schema type as a sentence has it: "a string", "an integer", "null"."""
    return _ARTICLES.get(kind, f"a {kind}")


def listed(words: Sequence[str], last: str = "or", limit: int = 6) -> str:
    """`a, b or c`; what is beyond `limit` is counted."""
    if len(words) > limit:
        return f"{', '.join(words[:limit])} {last} {len(words) - limit} more"
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else "nothing"


def count(number: int, noun: str) -> str:
    """`1 character`, `2 characters`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def pointer(path: Path) -> str:
    """A path as a JSON Pointer (RFC 6901). Half of a surrogate pair, which UTF-8 cannot carry, becomes U+FFFD."""
    return pointers.pointer(path).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def name(path: Path) -> str:
    """What a sentence calls the value at `path`: its key, or its JSON Pointer where it lies deeper."""
    if not path:
        return "The value"
    if len(path) == 1 and isinstance(path[0], str):
        return quote(path[0])
    return excerpt(pointer(path))
