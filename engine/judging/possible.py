"""What a schema allows at a place of a value, as far as that is certain: kinds of values, keys, items, scalars.

Read from `type`, `enum`, `const`, `properties`, `additionalProperties`, `required`, the keywords of items, and what
`allOf`, `anyOf`, `oneOf` and `$ref` put together of them. Other keywords can only allow less, so leaving them out never
makes a value that is valid look impossible. A scalar is asked of the full validator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from jsonschema.protocols import Validator

from engine.json_pointer import steps
from engine.judging.shape import ShapeFault, shape_faults
from engine.judging.validator import build_validator
from engine.judging.wording import Path

Kind: TypeAlias = Literal["object", "array", "string", "number", "boolean", "null"]
Alternative: TypeAlias = tuple[Mapping[str, Any], ...]
"""Schemas that hold all at once. A place has several where anyOf or oneOf offers them; () allows anything."""

MOST_ALTERNATIVES = 64  # of more, nothing is said
_MOST_KEPT = 10_000
_ANYTHING: Sequence[Alternative] = ((),)
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


class SchemaPrefixes:
    """Answers for one valid schema. Results are kept, so asking for the same place again costs a look-up."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._validator = build_validator(schema)
        self._keywords = frozenset(self._validator.VALIDATORS)  # of the dialect; all others mean nothing
        dialect = str(self._validator.META_SCHEMA.get("$id") or self._validator.META_SCHEMA.get("id"))
        self._ref_stands_alone = "json-schema.org/draft-0" in dialect  # up to draft 7 it hides what is beside it
        self._has_names = _holds_a_name(schema)
        self._of_schema: dict[int, Sequence[Alternative]] = {}
        self._of_all: dict[tuple[int, ...], Sequence[Alternative]] = {}
        self._validators: dict[int, Validator] = {}
        self._narrowed: dict[Any, tuple[Sequence[Alternative], Sequence[Alternative]]] = {}
        self.root = self._all_of([schema])

    def narrowed(
        self, alternatives: Sequence[Alternative], step: str | int | None, kind: Kind
    ) -> tuple[Sequence[Alternative], Sequence[Alternative]]:
        """Which alternatives for a container allow a part of this kind, and what they allow that part to be.

        step: the part's key or index; None where the part is the whole itself.
        """
        key = (*map(id, alternatives), step, kind)
        if key not in self._narrowed:
            if len(self._narrowed) > _MOST_KEPT:  # a reply may have any number of keys and items
                self._narrowed.clear()
            kept: list[Alternative] = []
            allowed: dict[tuple[int, ...], Alternative] = {}
            for each in alternatives:
                below = [child for child in self.below(each, step) if self._allows_all(child, kind)]
                kept += [each] if below else []
                allowed.update({tuple(map(id, child)): child for child in below})
            self._narrowed[key] = kept, list(allowed.values())
        return self._narrowed[key]

    def below(self, alternative: Alternative, step: str | int | None) -> Sequence[Alternative]:
        """What may stand under a key or an index; none where nothing may."""
        if step is None:
            return [alternative]
        schemas = [each for schema in alternative for each in self._below(schema, step)]
        return self._all_of(schemas)

    def _allows_all(self, alternative: Alternative, kind: Kind) -> bool:
        return all(self._allows(schema, kind) for schema in alternative)

    def keys(self, alternative: Alternative) -> frozenset[str] | None:
        """The keys that an object may have; None where it may have others than those named."""
        closed = [
            frozenset(schema.get("properties", ()))
            for schema in alternative
            if schema.get("additionalProperties") is False and not schema.get("patternProperties")
        ]
        return frozenset.intersection(*closed) if closed else None

    def strings(self, alternative: Alternative) -> frozenset[str] | None:
        """The strings that are allowed; None where others than those named are."""
        for schema in alternative:
            values = self._listed(schema)
            if values is not None:
                return frozenset(value for value in values if isinstance(value, str))
        return None

    def missing(self, alternative: Alternative, keys: Iterable[str]) -> list[str]:
        """The required keys that are not among `keys`."""
        there = set(keys)
        lists = [schema["required"] for schema in alternative if isinstance(schema.get("required"), list)]
        return [key for each in lists for key in each if key not in there]

    def faults(self, alternative: Alternative, value: Any, path: Path) -> list[ShapeFault]:
        """What the full validator finds wrong with a value that lies at `path`."""
        for schema in alternative:
            validator = self._validators.get(id(schema))
            if validator is None:
                validator = self._validators[id(schema)] = self._validator.evolve(schema=schema)
            faults = shape_faults(validator, value, path)
            if faults:
                return faults
        return []

    def reaches(self, path: Iterable[str], any_step: str) -> bool:
        """Whether a path of keys and indices may lead to anything; `any_step` stands for all. True if unsure."""
        places: Sequence[Alternative] = self.root
        for step in path:
            found = [
                alternative
                for place in places
                for each in self._steps(place, step, any_step)
                for alternative in self.below(place, each)
            ]
            places = list({tuple(map(id, each)): each for each in found}.values())
            if len(places) > MOST_ALTERNATIVES:
                return True
        return bool(places)

    def _steps(self, place: Alternative, step: str, any_step: str) -> list[str | int]:
        """The keys and indices that a step of a path may be."""
        steps: list[str | int] = []
        if self._allows_all(place, "object"):
            named = [key for schema in place for key in schema.get("properties", ())]
            steps += [*named, "\0 any other"] if step == any_step else [step]
        if self._allows_all(place, "array") and step == any_step:
            longest = max((len(_prefix(schema)) for schema in place), default=0)
            steps += range(longest + 1)
        elif self._allows_all(place, "array") and step.isdigit():
            steps.append(int(step))
        return steps

    def _below(self, schema: Mapping[str, Any], step: str | int) -> list[Any]:
        if isinstance(step, str):
            properties = schema.get("properties", {})
            if step in properties:
                return [properties[step]]
            return [] if schema.get("patternProperties") else [schema.get("additionalProperties", True)]
        if "maxItems" in schema and step >= schema["maxItems"]:
            return [False]
        prefix = _prefix(schema) if "prefixItems" in self._keywords or isinstance(schema.get("items"), list) else []
        if step < len(prefix):
            return [prefix[step]]
        return [schema.get("additionalItems" if isinstance(schema.get("items"), list) else "items", True)]

    def _allows(self, schema: Mapping[str, Any], kind: Kind) -> bool:
        wanted = schema.get("type", kind)
        types = [wanted] if isinstance(wanted, str) else wanted
        known = [each for each in types if each in _TYPES]
        if len(known) == len(types) and kind not in ("number" if each == "integer" else each for each in known):
            return False
        values = self._listed(schema)
        return values is None or any(kind_of(value) == kind for value in values)

    def _listed(self, schema: Mapping[str, Any]) -> Sequence[Any] | None:
        """The values that `const` or `enum` allows."""
        if "const" in schema and "const" in self._keywords:
            return [schema["const"]]
        values = schema.get("enum")
        return values if isinstance(values, list) else None

    def _all_of(self, schemas: Sequence[Any]) -> Sequence[Alternative]:
        key = tuple(map(id, schemas))
        if key not in self._of_all:
            found = _ANYTHING
            for schema in schemas:
                found = _both(found, self._alternatives(schema))
            self._of_all[key] = found
        return self._of_all[key]

    def _alternatives(self, schema: Any) -> Sequence[Alternative]:
        if schema is False:
            return ()
        if not isinstance(schema, Mapping):
            return _ANYTHING
        if id(schema) not in self._of_schema:
            self._of_schema[id(schema)] = _ANYTHING  # what a schema that leads back to itself is taken for
            self._of_schema[id(schema)] = self._combined(schema)
        return self._of_schema[id(schema)]

    def _combined(self, schema: Mapping[str, Any]) -> Sequence[Alternative]:
        if "$schema" in schema and schema is not self._schema:  # another dialect may begin here
            return _ANYTHING
        referred = self._alternatives(self._target(schema["$ref"])) if "$ref" in schema else _ANYTHING
        if "$ref" in schema and self._ref_stands_alone:
            return referred
        found = _both([(schema,)], referred)
        for part in schema.get("allOf", ()) if "allOf" in self._keywords else ():
            found = _both(found, self._alternatives(part))
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema and keyword in self._keywords:
                branches = [each for branch in schema[keyword] for each in self._alternatives(branch)]
                found = _both(found, branches)
        return found

    def _target(self, reference: Any) -> Any:
        """What a reference leads to; True, which says nothing, where that takes more than a JSON Pointer."""
        if self._has_names or not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            return True
        target: Any = self._schema
        for key in steps(reference[1:]):
            if not isinstance(target, Mapping) or key not in target:
                return True
            target = target[key]
        return target


def kind_of(value: Any) -> Kind:
    """The kind of a JSON value."""
    if isinstance(value, bool) or value is None:
        return "null" if value is None else "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list | dict):
        return "array" if isinstance(value, list) else "object"
    return "number"


def _both(one: Sequence[Alternative], other: Sequence[Alternative]) -> Sequence[Alternative]:
    """Each of `one` with each of `other`; `one` alone, which allows more, where that would be too many."""
    if len(one) * len(other) > MOST_ALTERNATIVES:
        return one if len(one) <= MOST_ALTERNATIVES else _ANYTHING
    return [first + second for first in one for second in other]


def _prefix(schema: Mapping[str, Any]) -> Sequence[Any]:
    """The schemas of the first items, one each."""
    items = schema.get("items")
    return items if isinstance(items, list) else schema.get("prefixItems", ())


def _holds_a_name(schema: Any, inside: bool = False) -> bool:
    """Whether a part of a schema has a name of its own, from which references would have to be followed."""
    parts = schema.values() if isinstance(schema, Mapping) else schema if isinstance(schema, list) else ()
    if inside and isinstance(schema, Mapping) and any(isinstance(schema.get(key), str) for key in ("$id", "id")):
        return True
    return any(_holds_a_name(part, True) for part in parts)
