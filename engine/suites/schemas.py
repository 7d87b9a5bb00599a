"""Reads the schemas of a suite: its own and those of single prompts, in the suite itself or in files of their own.

Apart from suite.py because importing jsonschema takes as long as all its other imports together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.judging.validator import build_validator
from engine.per_schema import schema_key
from engine.suites.faults import Fault, SuiteError
from engine.suites.files import BOM, read_json, read_text
from engine.suites.schema_check import schema_faults, value_fault
from engine.suites.tables import Given
from engine.suites.toml_lines import KeyPath
from engine.text import short_json


@dataclass(frozen=True, slots=True)
class PlacedSchema:
    """A schema and where it comes from."""

    schema: dict[str, Any]
    place: KeyPath
    """The key that gives it."""
    prompt: str | None
    """The prompt that it belongs to; None for the suite's."""


def read_schemas(folder: Path, given: Sequence[Given]) -> tuple[list[PlacedSchema | None], list[Fault]]:
    """The schema of each table, the suite's first, None where a table has none; and everything wrong with them.

    folder: what the names of schema files are relative to.
    """
    faults = list(_missing(given))
    schemas: list[PlacedSchema | None] = []
    for each in given:
        schema = None
        if each.inline is not None and each.file is not None:
            owner, table = ("suite", "[schema]") if each.prompt is None else ("prompt", "[prompt.schema]")
            text = f"the {owner} has a {table} as well; keep one of the two"
            faults.append(Fault((*each.table, "schema_file"), text))
        elif each.inline is not None:
            schema = PlacedSchema(each.inline, (*each.table, "schema"), each.prompt)
            inside = schema_faults(each.inline)
            faults += [Fault((*schema.place, *fault.path), fault.text) for fault in inside]
        elif each.file is not None:
            place = (*each.table, "schema_file")
            try:
                schema = PlacedSchema(read_schema(folder / each.file), place, each.prompt)
            except SuiteError as error:
                faults += [Fault(place, text) for text in error.faults]
        schemas.append(schema)
    return schemas, faults


def contradictions(schemas: Iterable[PlacedSchema], expectations: Iterable[tuple[KeyPath, Any]]) -> Iterator[Fault]:
    """Expected values that violate a schema: no reply could then be both right and valid.

    schemas: those of the prompts; every case is decoded under each of them.
    """
    expected = list(expectations)
    distinct: dict[str, PlacedSchema] = {}
    for each in schemas:
        distinct.setdefault(schema_key(each.schema), each)
    for each in distinct.values():
        name = "the schema" if each.prompt is None else f"the schema of prompt {short_json(each.prompt)}"
        validator = build_validator(each.schema)
        try:
            for place, value in expected:
                if fault := value_fault(validator, value, name):
                    path = (*place, *fault.path) if place[-1] != "expected_json" else place
                    yield Fault(path, f"{fault.text}; correct the value or the schema")
        except RecursionError:
            yield Fault(each.place, "a $ref leads back to itself without end; let it lead to a part of the value")


def _missing(given: Sequence[Given]) -> Iterator[Fault]:
    """Faults for prompts without a schema, if the suite has none either."""
    lacking = [each.inline is None and each.file is None for each in given]
    if not lacking[0]:
        return
    if all(lacking):
        yield Fault((), 'the suite has no schema; add a [schema] table, or schema_file = "…" at the top')
        return
    for each in (each for each, lacks in zip(given[1:], lacking[1:], strict=True) if lacks):
        remedy = 'add [prompt.schema] or schema_file = "…" to it, or a [schema] to the suite'
        yield Fault(each.table, f"the prompt has no schema, and the suite has none for all; {remedy}")


def read_schema(name: Path) -> dict[str, Any]:
    """The schema in a file. Raises SuiteError."""
    try:
        schema = read_json(read_text(name).removeprefix(BOM))
    except ValueError as error:
        raise SuiteError(f"{name}: {error}") from None
    if not isinstance(schema, dict):
        raise SuiteError(f"{name}: must hold a JSON object, not {short_json(schema)}; put the schema there")
    if faults := schema_faults(schema):
        raise SuiteError(*(f"{name}: {fault.text}" for fault in faults))
    return schema
