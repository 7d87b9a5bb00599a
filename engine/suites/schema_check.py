"""Checks JSON Schemas themselves, and values against them. Nothing outside the schema is ever read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jsonschema.exceptions import SchemaError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import Draft202012Validator, validator_for
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
from referencing import Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from engine.json_pointer import pointer
from engine.suites.faults import Fault
from engine.suites.toml_lines import KeyPath
from engine.text import did_you_mean, short_json

if TYPE_CHECKING:
    from referencing._core import Resolver

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


def schema_faults(schema: Mapping[str, Any]) -> list[Fault]:
    """What keeps `schema` from being a valid, self-contained JSON Schema. Paths are inside the schema."""
    dialect = schema.get("$schema", Draft202012Validator.META_SCHEMA["$id"])
    if not isinstance(dialect, str) or dialect.rstrip("#") not in REGISTRY:
        return [
            Fault(("$schema",), f"{short_json(dialect)} is not a known dialect; leave the key out for draft 2020-12")
        ]
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(dict(schema))
    except SchemaError as error:
        path = tuple(error.absolute_path)
        return [Fault(path, f"not a JSON Schema at {_place(path)}: {_reason(error)}")]
    return list(_broken_references(schema))


def value_fault(validator: Validator, value: Any, schema_name: str = "the schema") -> Fault | None:
    """Why a value does not satisfy a schema; None if it does. The path is inside the value."""
    error = best_match(validator.iter_errors(value))
    if error is None:
        return None
    path = tuple(error.absolute_path)
    message = error.message
    if error.validator == "type":  # jsonschema writes Python's None for null
        message = f"{short_json(error.instance)} is not of type {short_json(error.validator_value)}"
    return Fault(path, f"contradicts {schema_name} at {_place(path)}: {_short(message)}")


def _place(path: KeyPath) -> str:
    """A path as a JSON Pointer; "the top" for the whole document, whose pointer is empty."""
    return pointer(path) or "the top"


def _reason(error: SchemaError) -> str:
    if error.validator == "anyOf" and error.absolute_path[-1] == "type":  # jsonschema only reports that no branch fits
        words = error.instance if isinstance(error.instance, list) else [error.instance]
        unknown = next((word for word in words if word not in _TYPES), words)
        return f"there is no type {short_json(unknown)}; {did_you_mean(str(unknown), _TYPES)}"
    return f"{_short(error.message)}; correct it there"


def _short(message: str) -> str:
    """A message of jsonschema, which quotes the whole value, with the middle cut out if it is long."""
    return message if len(message) <= 200 else f"{message[:120]} … {message[-79:]}"


def _broken_references(schema: Mapping[str, Any]) -> Iterator[Fault]:
    """The references that lead outside the schema or to nothing in it."""
    root = Resource.from_contents(schema, default_specification=DRAFT202012)
    registry = REGISTRY.with_resource(root.id() or "", root).crawl()
    todo = [(root, registry.resolver_with_root(root))]
    while todo:
        resource, resolver = todo.pop()
        contents = resource.contents
        for key in ("$ref", "$dynamicRef"):
            if isinstance(contents, Mapping) and key in contents and not _resolves(resolver, contents[key]):
                path = (*(_path_to(schema, contents) or ()), key)
                text = f"{short_json(contents[key])} at {_place(path)} leads to nothing inside the schema"
                yield Fault(path, f"{text}; put what it means under $defs")
        todo += [(part, resolver.in_subresource(part)) for part in resource.subresources()]


def _resolves(resolver: Resolver[Any], reference: str) -> bool:
    try:
        resolver.lookup(reference)
    except (Unresolvable, ValueError):  # ValueError: a word where an array needs an index
        return False
    return True


def _path_to(value: Any, target: Any) -> KeyPath | None:
    """The path of `target` in `value`, compared by identity."""
    if value is target:
        return ()
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        below = _path_to(part, target)
        if below is not None:
            return (key, *below)
    return None
