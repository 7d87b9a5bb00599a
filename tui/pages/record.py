"""A record as JSON to read: indented, but with lists of numbers on one line."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from engine.records import ARMS, Record

_INDENT = "  "


def record_text(record: Record, labels: tuple[str, str] = ARMS) -> str:
    """The record with its keys in the order they have on disk.

    labels: what the two replies are called, in a comparison of two runs.
    """
    named: dict[str, str] = dict(zip(ARMS, labels, strict=True))
    return _json({named.get(key, key): value for key, value in asdict(record).items()}, "")


def record_line(record: Record) -> str:
    """The record on one line, as on disk."""
    return json.dumps(asdict(record), ensure_ascii=False, separators=(",", ":"))


def _json(value: Any, indent: str) -> str:
    """A value whose first line follows a key that is indented by `indent`."""
    if isinstance(value, tuple):
        value = list(value)
    if not isinstance(value, dict | list) or _is_short(value):
        return json.dumps(value, ensure_ascii=False)
    inner = indent + _INDENT
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {_json(part, inner)}" for key, part in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + _json(part, inner) for part in value) + f"\n{indent}]"


def _is_short(value: dict[str, Any] | list[Any]) -> bool:
    """Whether it is empty or a list of numbers only."""
    return not value or (isinstance(value, list) and all(isinstance(part, int | float) for part in value))
