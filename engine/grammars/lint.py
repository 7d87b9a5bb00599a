"""The findings of a schema's lint, for one of the two libraries that make grammars.

A defect is something that the library would get seriously wrong: the schema is refused. A keyword that the library
accepts and does not enforce is listed, shown and recorded with the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from engine.backends import GrammarError, Unenforced
from engine.grammars.grammar import Backend
from engine.grammars.schema_walk import Path, edited
from engine.json_pointer import pointer
from engine.text import printable


@dataclass(frozen=True, slots=True)
class Defect:
    """A place in the schema that the library cannot be trusted with."""

    keyword: str
    pointer: str
    """The JSON Pointer of the keyword."""
    reason: str


@dataclass(slots=True)
class Findings:
    """What the lint of one schema has found so far."""

    defects: list[Defect] = field(default_factory=list)
    unenforced: list[Unenforced] = field(default_factory=list)
    edits: dict[Path, Any] = field(default_factory=dict)
    """New values of keywords, None where one is left out."""

    def refuse(self, path: Path, reason: str) -> None:
        """Add a defect: the keyword at `path`."""
        defect = Defect(_keyword(path), pointer(path), reason)
        if defect not in self.defects:
            self.defects.append(defect)

    def remark(self, path: Path, reason: str) -> None:
        """Note that the keyword at `path` is not enforced."""
        found = Unenforced(_keyword(path), pointer(path), reason)
        if found.pointer not in {known.pointer for known in self.unenforced}:
            self.unenforced.append(found)

    def schema_for_the_library(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The schema for the library, with the edits applied."""
        return edited(schema, self.edits)

    def raise_first(self, backend: Backend) -> None:
        """Raise GrammarError if there is a defect."""
        if self.defects:
            first = self.defects[0]
            place = f"{first.keyword!r} at {first.pointer or 'the root of the schema'}"
            raise GrammarError(printable(f"{backend} cannot be trusted with {place}: {first.reason}."))


@cache
def judged_formats() -> frozenset[str]:
    """The formats that the judge asserts; for JSON Schema any other is an annotation."""
    return frozenset(Draft202012Validator.FORMAT_CHECKER.checkers)


def drop_unknown_formats(path: Path, schema: Mapping[str, Any], found: Findings) -> None:
    """Leave out a format that the judge does not assert: it is no reason to do without a grammar."""
    name = schema.get("format")
    if isinstance(name, str) and name not in judged_formats():
        found.edits[(*path, "format")] = None
        found.remark((*path, "format"), f"it is left out, because the judge does not know the format {name!r} either")


def _keyword(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")
