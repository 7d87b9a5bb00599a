"""What a schema allows at a place in a value, as far as that is certain: types, keys, items and scalars.

Based on `type`, `enum`, `const`, `properties`, `additionalProperties`, `required`, the keywords for items, and on how
`allOf`, `anyOf`, `oneOf` and `$ref` combine schemas. Other keywords can only restrict more, so ignoring them never
makes a valid value look impossible. Scalars are checked with the full validator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from jsonschema.protocols import Validator

from engine.json_pointer import parse_pointer
from engine.judging.shape import SchemaViolation, schema_violations
from engine.judging.validator import build_validator
from engine.judging.wording import ValuePath

JsonType: TypeAlias = Literal["object", "array", "string", "number", "boolean", "null"]
Alternative: TypeAlias = tuple[Mapping[str, Any], ...]
"""Schemas that must all hold. A place has several alternatives under anyOf or oneOf; () allows anything."""

MOST_ALTERNATIVES = 64  # with more, anything counts as allowed
_MOST_CACHED = 10_000
_ANYTHING: Sequence[Alternative] = ((),)
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


class SchemaPrefixes:
    """Answers for one valid schema. Results are cached, so the same place costs a look-up the second time.

    The caches are keyed by the id() of (sub)schemas, which are unhashable dictionaries. That is safe because `_schema`
    keeps all of them alive; the only other schemas are the constants True and False.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._validator = build_validator(schema)
        self._keywords = frozenset(self._validator.VALIDATORS)  # of the dialect, which ignores all others
        dialect = str(self._validator.META_SCHEMA.get("$id") or self._validator.META_SCHEMA.get("id"))
        self._ref_stands_alone = "json-schema.org/draft-0" in dialect  # up to draft 7, $ref hides its siblings
        self._has_ids = _has_inner_id(schema)
        self._of_schema: dict[int, Sequence[Alternative]] = {}
        self._of_all: dict[tuple[int, ...], Sequence[Alternative]] = {}
        self._validators: dict[int, Validator] = {}
        self._narrowed: dict[Any, tuple[Sequence[Alternative], Sequence[Alternative]]] = {}
        self.root = self._all_of([schema])

    def narrowed(
        self, alternatives: Sequence[Alternative], step: str | int | None, part: JsonType
    ) -> tuple[Sequence[Alternative], Sequence[Alternative]]:
        """Which alternatives for a container allow a part of this type, and what they allow that part to be.

        step: the part's key or index; None where the part is the whole value.
        """
        key = (*map(id, alternatives), step, part)
        if key not in self._narrowed:
            if len(self._narrowed) > _MOST_CACHED:  # a reply may have any number of keys and items
                self._narrowed.clear()
            kept: list[Alternative] = []
            allowed: dict[tuple[int, ...], Alternative] = {}
            for each in alternatives:
                below = [child for child in self.below(each, step) if self._allows_all(child, part)]
                kept += [each] if below else []
                allowed.update({tuple(map(id, child)): child for child in below})
            self._narrowed[key] = kept, list(allowed.values())
        return self._narrowed[key]

    def below(self, alternative: Alternative, step: str | int | None) -> Sequence[Alternative]:
        """The alternatives for the part under a key or an index; none where nothing is allowed."""
        if step is None:
            return [alternative]
        schemas = [each for schema in alternative for each in self._below(schema, step)]
        return self._all_of(schemas)

    def _allows_all(self, alternative: Alternative, type_: JsonType) -> bool:
        return all(self._allows(schema, type_) for schema in alternative)

    def keys(self, alternative: Alternative) -> frozenset[str] | None:
        """The keys that an object may have; None where any others are allowed too."""
        closed = [
            frozenset(schema.get("properties", ()))
            for schema in alternative
            if schema.get("additionalProperties") is False and not schema.get("patternProperties")
        ]
        return frozenset.intersection(*closed) if closed else None

    def strings(self, alternative: Alternative) -> frozenset[str] | None:
        """The strings that are allowed; None where any others are too."""
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

    def violations(self, alternative: Alternative, value: Any, path: ValuePath) -> list[SchemaViolation]:
        """What the full validator finds wrong with a value at `path`."""
        for schema in alternative:
            validator = self._validators.get(id(schema))
            if validator is None:
                validator = self._validators[id(schema)] = self._validator.evolve(schema=schema)
            violations = schema_violations(validator, value, path)
            if violations:
                return violations
        return []

    def reaches(self, path: Iterable[str], any_step: str) -> bool:
        """Whether a path of keys and indices may lead to a value; `any_step` matches all of them. True if unsure."""
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
        """The keys and indices that a step of a path may match."""
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

    def _allows(self, schema: Mapping[str, Any], type_: JsonType) -> bool:
        wanted = schema.get("type", type_)
        types = [wanted] if isinstance(wanted, str) else wanted
        # A type that is not known here, such as draft 3's "any", may allow anything.
        known = [each for each in types if each in _TYPES]
        if len(known) == len(types) and type_ not in ("number" if each == "integer" else each for each in known):
            return False
        values = self._listed(schema)
        return values is None or any(json_type(value) == type_ for value in values)

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
            self._of_schema[id(schema)] = _ANYTHING  # breaks the cycle of a schema that refers to itself
            self._of_schema[id(schema)] = self._combined(schema)
        return self._of_schema[id(schema)]

    def _combined(self, schema: Mapping[str, Any]) -> Sequence[Alternative]:
        if "$schema" in schema and schema is not self._schema:  # possibly of another dialect
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
        """The target of a reference; True, which allows anything, where resolving it takes more than a JSON Pointer."""
        if self._has_ids or not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            return True
        target: Any = self._schema
        for key in parse_pointer(reference[1:]):
            if not isinstance(target, Mapping) or key not in target:
                return True
            target = target[key]
        return target


def json_type(value: Any) -> JsonType:
    """The JSON type of a value; integers are numbers."""
    if isinstance(value, bool) or value is None:
        return "null" if value is None else "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list | dict):
        return "array" if isinstance(value, list) else "object"
    return "number"


def _both(one: Sequence[Alternative], other: Sequence[Alternative]) -> Sequence[Alternative]:
    """Each of `one` combined with each of `other`; `one` alone, which allows more, where there would be too many."""
    if len(one) * len(other) > MOST_ALTERNATIVES:
        return one if len(one) <= MOST_ALTERNATIVES else _ANYTHING
    return [first + second for first in one for second in other]


def _prefix(schema: Mapping[str, Any]) -> Sequence[Any]:
    """The schemas of the first items, one for each."""
    items = schema.get("items")
    return items if isinstance(items, list) else schema.get("prefixItems", ())


def _has_inner_id(schema: Any, inside: bool = False) -> bool:
    """Whether a subschema has an `$id`, which would be the base of the references in it."""
    parts = schema.values() if isinstance(schema, Mapping) else schema if isinstance(schema, list) else ()
    if inside and isinstance(schema, Mapping) and any(isinstance(schema.get(key), str) for key in ("$id", "id")):
        return True
    return any(_has_inner_id(part, True) for part in parts)
