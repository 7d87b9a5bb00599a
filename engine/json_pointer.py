"""JSON Pointers (RFC 6901): a place in a JSON value as text."""

from __future__ import annotations

from collections.abc import Iterable

from jsonpointer import escape, unescape


def pointer(path: Iterable[str | int]) -> str:
    """The pointer to a place; "" is the whole value."""
    return "".join(f"/{escape(str(step))}" for step in path)


def parse_pointer(pointer: str) -> tuple[str, ...]:
    """The keys and indices of a pointer, which begins with "/" or is empty."""
    return tuple(unescape(step) for step in pointer.split("/")[1:])
