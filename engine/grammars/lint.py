"""What a lint of a schema finds, for one of the two libraries that make grammars.

A defect is what the library would get wrong in a way that no remark can excuse: it is refused. What the library accepts
and does not enforce is listed, shown and kept with the run.
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
    """A place in the schema that the library cannot be trusted with. `pointer` is the JSON Pointer of the keyword."""

    keyword: str
    pointer: str
    reason: str


@dataclass(slots=True)
class Findings:
    """What the lint of one schema has found so far."""

    defects: list[Defect] = field(default_factory=list)
    unenforced: list[Unenforced] = field(default_factory=list)
    edits: dict[Path, Any] = field(default_factory=dict)

    def refuse(self, path: Path, reason: str) -> None:
        """Add a defect at the keyword that `path` leads to."""
        defect = Defect(_keyword(path), pointer(path), reason)
        if defect not in self.defects:
            self.defects.append(defect)

    def remark(self, path: Path, reason: str) -> None:
        """Add that the keyword at `path` is not enforced."""
        found = Unenforced(_keyword(path), pointer(path), reason)
        if found.pointer not in {known.pointer for known in self.unenforced}:
            self.unenforced.append(found)

    def schema_for_the_library(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The schema as the library is to see it: without what is dropped, with what is written out."""
        return edited(schema, self.edits)

    def raise_first(self, backend: Backend) -> None:
        """Raise GrammarError for the first defect, if there is one."""
        if self.defects:
            first = self.defects[0]
            place = f"{first.keyword!r} at {first.pointer or 'the root of the schema'}"
            raise GrammarError(printable(f"{backend} cannot be trusted with {place}: {first.reason}."))


@cache
def judged_formats() -> frozenset[str]:
    """The formats that the judge asserts; JSON Schema takes any other as a remark for people."""
    return frozenset(Draft202012Validator.FORMAT_CHECKER.checkers)


def drop_unknown_formats(path: Path, schema: Mapping[str, Any], found: Findings) -> None:
    """A format that the judge does not assert is no reason to go without a grammar: it is left out."""
    name = schema.get("format")
    if isinstance(name, str) and name not in judged_formats():
        found.edits[(*path, "format")] = None
        found.remark((*path, "format"), f"it is left out, because the judge does not know the format {name!r} either")


def _keyword(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")
