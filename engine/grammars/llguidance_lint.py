"""Predicts what llguidance 1.9.1 will not enforce of a schema.

It refuses by itself what it does not implement, so there is little to add; found by random walks (tests/grammars).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.grammars.lint import Findings, drop_unknown_formats
from engine.grammars.patterns import read_differently
from engine.grammars.schema_walk import Path, everywhere

_SHAPE_ONLY = {
    "date": "that the year has a 29th of February",
    "date-time": "that the year has a 29th of February, nor that seconds end at 59",
    "time": "that seconds end at 59",
    "hostname": "that it has 253 characters at most",
}
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "const", "enum")
_EXACT = 1 << 53  # whole numbers beyond are rounded to the nearest double


def lint_for_llguidance(schema: Mapping[str, Any]) -> Findings:
    """What llguidance would not enforce of a schema. It has no known defects."""
    found = Findings()
    for path, part in everywhere(schema):
        drop_unknown_formats(path, part, found)
        _pattern(path, part, found)
        if (name := part.get("format")) in _SHAPE_ONLY:
            found.remark((*path, "format"), f"it is enforced by shape, not {_SHAPE_ONLY[name]}")
        for keyword in _NUMBERS:
            if keyword in part and not _is_exact(part[keyword]):
                found.remark((*path, keyword), "it is rounded, as it has a number beyond 2^53")
        closed = part.get("additionalProperties") is False and "patternProperties" not in part
        if _number(part, "minProperties") > 1 and not closed:
            found.remark((*path, "minProperties"), "it counts a name that is repeated")
    return found


def _is_exact(value: Any) -> bool:
    if isinstance(value, dict | list):
        return all(map(_is_exact, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int | float) or abs(value) <= _EXACT


def _number(schema: Mapping[str, Any], keyword: str) -> float:
    value = schema.get(keyword)
    return value if isinstance(value, int | float) else 0


def _pattern(path: Path, schema: Mapping[str, Any], found: Findings) -> None:
    if isinstance(pattern := schema.get("pattern"), str) and (reason := read_differently(pattern)) is not None:
        found.remark((*path, "pattern"), f"its {reason} means different things in different dialects")
