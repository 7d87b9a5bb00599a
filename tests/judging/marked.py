"""Replies with the break marked in them: `{"age": «"30"»}` is the text `{"age": "30"}` and the span of `"30"`."""

from __future__ import annotations

from typing import Any

PERSON: dict[str, Any] = {
    "type": "object",
    "required": ["name", "age"],
    "additionalProperties": False,
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
}
ALICE = {"name": "Alice", "age": 30}
GOOD = '{"name": "Alice", "age": 30}'


def unmarked(marked: str) -> tuple[str, int, int]:
    """The text without its two marks, and where they stood."""
    assert marked.count("«") == marked.count("»") == 1
    start = marked.index("«")
    end = marked.index("»") - 1
    return marked.replace("«", "").replace("»", ""), start, end
