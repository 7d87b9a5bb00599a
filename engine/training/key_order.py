"""Puts the keys of JSON values in the schema's order: the order in which the constrained arm writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema.protocols import Validator

from engine.grammars.schema_walk import resolve


def in_schema_order(value: Any, validator: Validator, schema: Any) -> Any:
    """The value with the keys of its objects in the order of `properties`, then other keys in their own order.

    validator: of the whole schema, in which `$ref` is resolved. schema: the (sub)schema for this value. Of `anyOf` and
    `oneOf` the first branch that the value satisfies is used.
    """
    for part in _parts(value, validator, schema):
        if isinstance(value, dict):
            properties: Mapping[str, Any] = part.get("properties", {})
            keys = [*(key for key in properties if key in value), *(key for key in value if key not in properties)]
            others = part.get("additionalProperties")
            value = {key: in_schema_order(value[key], validator, properties.get(key, others)) for key in keys}
        elif isinstance(value, list):
            first = part.get("prefixItems", [])
            items = part.get("items")
            value = [
                in_schema_order(each, validator, first[number] if number < len(first) else items)
                for number, each in enumerate(value)
            ]
    return value


def _parts(value: Any, validator: Validator, schema: Any) -> list[Mapping[str, Any]]:
    """All subschemas that apply to the value itself: through `$ref`, `allOf`, `anyOf` and `oneOf`."""
    if not isinstance(schema, Mapping):
        return []
    parts = []
    if isinstance(reference := schema.get("$ref"), str):
        root = validator.schema
        found = resolve(root, reference) if isinstance(root, Mapping) else None
        parts += _parts(value, validator, found[1]) if found is not None else []
    for each in schema.get("allOf", []):
        parts += _parts(value, validator, each)
    for keyword in ("anyOf", "oneOf"):
        fitting = (each for each in schema.get(keyword, []) if validator.evolve(schema=each).is_valid(value))
        parts += _parts(value, validator, next(fitting, None))
    return [*parts, schema]
