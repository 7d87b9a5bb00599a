"""A cache of what is made once for each distinct schema and shared by all jobs that have that schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

Made = TypeVar("Made")


def schema_key(schema: Mapping[str, Any]) -> str:
    """Equal for equal schemas. The order of keys counts: a grammar asks for the properties in that order."""
    return json.dumps(schema)


class SchemaCache(Generic[Made]):
    """Called with a schema, makes what belongs to it the first time and returns the same object after that."""

    def __init__(self, make: Callable[[dict[str, Any]], Made]) -> None:
        self._make = make
        self._made: dict[str, Made] = {}

    def __call__(self, schema: dict[str, Any]) -> Made:
        """What was made of the schema."""
        key = schema_key(schema)
        if key not in self._made:
            self._made[key] = self._make(schema)
        return self._made[key]

    def __iter__(self) -> Iterator[Made]:
        """Everything made so far, in order."""
        return iter(self._made.values())
