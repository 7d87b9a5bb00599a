"""Places in a schema: paths to keywords, the schemas below a schema, and the targets of `$ref`."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]  # the keys and indexes that lead from the root to a place

_SCHEMAS_BY_NAME = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
_SCHEMAS_IN_A_LIST = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_ONE_SCHEMA = (
    "items",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
)


def below(schema: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """The schemas directly below a schema, with the path to each. Does not follow `$ref`."""
    for keyword in _SCHEMAS_BY_NAME:
        if isinstance(named := schema.get(keyword), Mapping):
            yield from (((keyword, name), part) for name, part in named.items() if not isinstance(part, list))
    for keyword in _SCHEMAS_IN_A_LIST:
        if isinstance(listed := schema.get(keyword), list):
            yield from (((keyword, index), part) for index, part in enumerate(listed))
    for keyword in _ONE_SCHEMA:
        if isinstance(one := schema.get(keyword), Mapping | bool):
            yield (keyword,), one


def everywhere(root: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every schema that is an object, the root first, each once; follows `$ref` to unusual places, too."""
    waiting: list[tuple[Path, Any]] = [((), root)]
    seen: set[Path] = set()
    while waiting:
        path, schema = waiting.pop()
        if path in seen or not isinstance(schema, Mapping):
            continue
        seen.add(path)
        yield path, schema
        waiting += [((*path, *step), part) for step, part in below(schema)]
        if isinstance(reference := schema.get("$ref"), str) and (target := resolve(root, reference)) is not None:
            waiting.append(target)


def resolve(root: Mapping[str, Any], reference: str) -> tuple[Path, Any] | None:
    """The target of a `$ref` of the form `#/…`, or None: other forms, including escapes, are not followed."""
    if reference != "#" and (not reference.startswith("#/") or "//" in reference or reference.endswith("/")):
        return None
    if set("~%") & set(reference):
        return None
    path: Path = ()
    place: Any = root
    for part in filter(None, reference[1:].split("/")):
        step: str | int = int(part) if isinstance(place, list) and part.isdecimal() else part
        try:
            place = place[step]
        except (KeyError, IndexError, TypeError):
            return None
        path = (*path, step)
    return path, place


def edited(root: Mapping[str, Any], edits: Mapping[Path, Any]) -> dict[str, Any]:
    """A copy of the schema with the values at these paths replaced, or removed where the edit is None."""
    schema: dict[str, Any] = copy.deepcopy(dict(root))
    for path, value in edits.items():
        place: Any = schema
        for step in path[:-1]:
            place = place[step]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value
    return schema
