"""Wording for values, keys and paths. Model output is hostile: here it is quoted, escaped and truncated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from engine import json_pointer as pointers
from engine.text import plural, printable

ValuePath: TypeAlias = tuple[str | int, ...]

QUOTED_CHARACTERS = 40
_IN_STRING = {'"': '\\"', "\\": "\\\\"}
_ARTICLES = {"integer": "an integer", "array": "an array", "object": "an object", "null": "null"}


def excerpt(text: str) -> str:
    """`text` truncated to 40 characters; everything that a terminal could act on (controls, bidi marks) is escaped."""
    return _shortened(text, {})


def quote(text: str) -> str:
    """`text` as a JSON string, truncated to 40 characters, safe to print."""
    return f'"{_shortened(text, _IN_STRING)}"'


def _shortened(text: str, escapes: Mapping[str, str]) -> str:
    short = "".join(escapes.get(char) or printable(char) for char in text[:QUOTED_CHARACTERS])
    return short + "…" if len(text) > QUOTED_CHARACTERS else short


def describe_value(value: Any) -> str:
    """A JSON value for a sentence: scalars as JSON, containers by their size."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, dict):
        return f"an object with {plural(len(value), 'key')}" if value else "{}"
    if isinstance(value, list):
        return f"an array of {plural(len(value), 'item')}" if value else "[]"
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
    """A JSON Schema type in a sentence: "a string", "an integer", "null"."""
    return _ARTICLES.get(kind, f"a {kind}")


def join_words(words: Sequence[str], last: str = "or", limit: int = 6) -> str:
    """`a, b or c`; words beyond `limit` are only counted."""
    if len(words) > limit:
        return f"{', '.join(words[:limit])} {last} {len(words) - limit} more"
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else "nothing"


def is_unknown(key: str) -> str:
    """`"a" is not among the keys asked for`."""
    return f"{quote(key)} is not among the keys asked for"


def are_missing(keys: Sequence[str]) -> str:
    """`"a" and "b" are missing`."""
    return f"{join_words([quote(key) for key in keys], 'and')} {'is' if len(keys) == 1 else 'are'} missing"


def pointer(path: ValuePath) -> str:
    """A path as a JSON Pointer (RFC 6901). A lone surrogate, which UTF-8 cannot encode, becomes U+FFFD."""
    return pointers.pointer(path).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def path_name(path: ValuePath) -> str:
    """The name of the value at `path` in a sentence: its key, or its JSON Pointer if it is nested deeper."""
    if not path:
        return "The value"
    if len(path) == 1 and isinstance(path[0], str):
        return quote(path[0])
    return excerpt(pointer(path))
