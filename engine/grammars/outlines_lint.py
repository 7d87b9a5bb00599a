"""Predicts what outlines_core 0.2.14 makes of a schema.

Follows its parser (dottxt-ai/outlines-core, src/json_schema/parsing.rs): the first keyword of ORDER that a schema has
decides alone, and most of its other keywords are dropped silently. Where the replies would not be JSON, or would not
have the structure of the schema, there is a defect; a keyword that is dropped is listed as not enforced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.grammars.lint import Findings, drop_unknown_formats, judged_formats
from engine.grammars.patterns import breaks_outlines, with_ascii_classes
from engine.grammars.schema_walk import Path, everywhere, resolve
from engine.judging.validator import build_validator

ORDER = ("properties", "allOf", "anyOf", "oneOf", "prefixItems", "enum", "const", "$ref", "type")
_MAX_REFS = 4  # nested `$ref`s; at the fifth the property is left out, but not always its comma
_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_ABOUT = {
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "array": (
        *("items", "prefixItems", "additionalItems", "unevaluatedItems"),
        *("contains", "minItems", "maxItems", "uniqueItems"),
    ),
    "object": (
        *("properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames"),
        *("required", "minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "dependencies"),
    ),
}
_ABOUT["integer"] = _ABOUT["number"]
_ABOUT_ANY = ("type", "enum", "const", "allOf", "anyOf", "oneOf", "not", "if", "$ref", "$dynamicRef", "$recursiveRef")
_EVERY = frozenset({*_ABOUT_ANY, *(keyword for keywords in _ABOUT.values() for keyword in keywords)})
_SHAPE_ONLY = {
    "date": "that the day exists",
    "date-time": "that the day exists, nor a time zone, nor a year of four digits",
}
_FORMATS = frozenset({*_SHAPE_ONLY, "uuid"})


def lint_for_outlines(schema: Mapping[str, Any]) -> Findings:
    """The defects and the dropped keywords if a schema is given to outlines_core."""
    found = Findings()
    for path, part in everywhere(schema):
        drop_unknown_formats(path, part, found)
        if path and "$id" in part:
            found.refuse((*path, "$id"), "Outlines does not know that `$id` changes what `$ref` means below it")
    _Lint(schema, found).visit(schema, (), 0)
    return found


class _Lint:
    def __init__(self, root: Mapping[str, Any], found: Findings) -> None:
        self._root = root
        self._found = found
        self._validator = build_validator(root)
        self._seen: set[tuple[Path, int]] = set()
        self._rules: dict[str, Callable[[Mapping[str, Any], Path, int], None]] = {
            "properties": self._properties,
            "allOf": self._all_of,
            "anyOf": self._branches,
            "oneOf": self._branches,
            "prefixItems": self._prefix_items,
            "enum": self._values,
            "const": self._values,
            "$ref": self._ref,
            "type": self._type,
        }

    def visit(self, schema: Any, path: Path, refs: int) -> None:
        """Lint the schema at `path`, inside `refs` nested references."""
        if (path, refs) in self._seen:
            return
        self._seen.add((path, refs))
        if not isinstance(schema, Mapping):
            self._found.refuse(path, "Outlines has expressions only for schemas that are objects")
            return
        decides = next((keyword for keyword in ORDER if keyword in schema), None)
        if decides is not None:
            self._rules[decides](schema, path, refs)
        elif schema:
            first = next((keyword for keyword in schema if keyword in _EVERY), None)
            place = path if first is None else (*path, first)
            self._found.refuse(place, f"Outlines needs one of {', '.join(ORDER)} there")

    def _dropped(self, schema: Mapping[str, Any], path: Path, types: Sequence[str], kept: Sequence[str]) -> None:
        """Note the keywords that concern these types and are not among those that Outlines keeps."""
        about = {*_ABOUT_ANY, *(keyword for name in types for keyword in _ABOUT.get(name, ()))}
        decides = next(keyword for keyword in ORDER if keyword in schema)
        for keyword in schema:
            if keyword in about and keyword not in kept and keyword != decides:
                self._found.remark((*path, keyword), f"it is dropped beside {decides!r}")

    # -- one method a keyword of ORDER ------------------------------------------------------------------------------

    def _properties(self, schema: Mapping[str, Any], path: Path, refs: int) -> None:
        properties: Mapping[str, Any] = schema["properties"]
        required = set(schema.get("required", ())) if isinstance(schema.get("required"), list) else set()
        kept = ["additionalProperties", "unevaluatedProperties"]  # an object with `properties` has no others
        kept += ["type"] * ("object" in _types(schema)) + ["required"] * (required <= properties.keys())
        kept += ["minProperties"] * (_number(schema, "minProperties", 0) <= len(required & properties.keys()))
        kept += ["maxProperties"] * (_number(schema, "maxProperties", len(properties)) >= len(properties))
        self._dropped(schema, path, ["object"], kept)
        for name, part in properties.items():
            place = (*path, "properties", name)
            if any(char < " " or char in '"\\' for char in name):
                self._found.refuse(place, "Outlines does not escape the name")
            self._visit_ungrouped(part, place, refs)

    def _all_of(self, schema: Mapping[str, Any], path: Path, refs: int) -> None:
        if len(schema["allOf"]) != 1:
            self._found.refuse((*path, "allOf"), "Outlines writes the parts one after the other")
        self._dropped(schema, path, _TYPES, ())
        self._branches(schema, path, refs)

    def _branches(self, schema: Mapping[str, Any], path: Path, refs: int) -> None:
        keyword = next(keyword for keyword in ("allOf", "anyOf", "oneOf") if keyword in schema)
        self._dropped(schema, path, _TYPES, ())
        if keyword == "oneOf":
            self._found.remark((*path, keyword), "it may be more than one of the branches that fit")
        for index, part in enumerate(schema[keyword]):
            self.visit(part, (*path, keyword, index), refs)

    def _prefix_items(self, schema: Mapping[str, Any], path: Path, refs: int) -> None:
        count = len(schema["prefixItems"])  # Outlines writes exactly these
        kept = ["items", "additionalItems", "unevaluatedItems"] + ["type"] * ("array" in _types(schema))
        kept += ["minItems"] * (_number(schema, "minItems", 0) <= count)
        kept += ["maxItems"] * (_number(schema, "maxItems", count) >= count)
        self._dropped(schema, path, ["array"], kept)
        for index, part in enumerate(schema["prefixItems"]):
            self._visit_ungrouped(part, (*path, "prefixItems", index), refs)

    def _values(self, schema: Mapping[str, Any], path: Path, refs: int) -> None:
        keyword = "enum" if "enum" in schema else "const"
        values = schema["enum"] if keyword == "enum" else [schema["const"]]
        if not values:
            self._found.refuse((*path, keyword), "Outlines makes an empty reply of an empty list")
        if any(isinstance(value, dict | list) for value in values):
            self._found.refuse((*path, keyword), "Outlines has no expression for objects and arrays there")
        if any(isinstance(value, int) and abs(value) >= 1 << 63 for value in values):
            self._found.refuse((*path, keyword), "Outlines rounds whole numbers beyond 64 bits")
        checker = self._validator.evolve(schema=schema)
        failing = {error.schema_path[0] for value in values for error in checker.iter_errors(value)}
        for other in failing - {keyword}:
            self._found.remark((*path, str(other)), f"it is dropped beside {keyword!r}")

    def _ref(self, schema: Mapping[str, Any], path: Path, refs: int) -> None:
        place = (*path, "$ref")
        self._dropped(schema, path, _TYPES, ())
        target = resolve(self._root, schema["$ref"])
        if target is None or any(isinstance(step, int) for step in target[0]):
            self._found.refuse(place, "Outlines follows only references of the form #/$defs/name")
        elif refs == _MAX_REFS:
            self._found.refuse(
                place, f"Outlines leaves out what is more than {_MAX_REFS} references deep, or recursive"
            )
        else:
            self.visit(target[1], target[0], refs + 1)

    def _type(self, schema: Mapping[str, Any], path: Path, refs: int) -> None:
        types = _types(schema)
        kept: list[str] = []
        if "string" in types:
            kept += self._string(schema, path)
        if "array" in types:
            kept += [*self._bounds(schema, path, "minItems", "maxItems"), "items"]
            if "items" in schema:
                self.visit(schema["items"], (*path, "items"), refs)
        if "object" in types:
            kept += self._map(schema, path, refs)
        self._dropped(schema, path, types, kept)

    # -- what the types keep ----------------------------------------------------------------------------------------

    def _string(self, schema: Mapping[str, Any], path: Path) -> list[str]:
        if "minLength" in schema or "maxLength" in schema:
            return self._bounds(schema, path, "minLength", "maxLength")
        if isinstance(pattern := schema.get("pattern"), str):
            if (reason := breaks_outlines(pattern)) is not None:
                self._found.refuse((*path, "pattern"), reason)
            self._found.edits[(*path, "pattern")] = with_ascii_classes(pattern)
            return ["pattern"]
        name = schema.get("format")
        if name in _SHAPE_ONLY:
            self._found.remark((*path, "format"), f"it is enforced by shape, not {_SHAPE_ONLY[name]}")
        elif name in judged_formats() and name not in _FORMATS:
            self._found.refuse(
                (*path, "format"), f"Outlines' expression for {name} is missing or allows what JSON does not"
            )
        return ["format"]

    def _bounds(self, schema: Mapping[str, Any], path: Path, *keywords: str) -> list[str]:
        """The bounds that Outlines reads, which does not include 3.0, though it means 3."""
        least, most = (schema.get(keyword) for keyword in keywords)
        if isinstance(least, int) and isinstance(most, int) and least > most:
            self._found.refuse((*path, keywords[0]), f"no value has {keywords[0]} {least} and {keywords[1]} {most}")
        return [keyword for keyword in keywords if isinstance(schema.get(keyword), int)]

    def _map(self, schema: Mapping[str, Any], path: Path, refs: int) -> list[str]:
        """An object without `properties`: any names are allowed, repeated ones too."""
        rest = schema.get("additionalProperties", True)
        if rest is not True:
            self._visit_ungrouped(rest, (*path, "additionalProperties"), refs)
        least, most = schema.get("minProperties", 0), schema.get("maxProperties")
        kept = ["additionalProperties"]
        kept += ["minProperties"] * (least == 0 or (least == 1 and most != 0 and isinstance(least, int)))
        kept += ["maxProperties"] * (most == 0 and isinstance(most, int)) + ["required"] * (not schema.get("required"))
        return kept

    def _visit_ungrouped(self, schema: Any, path: Path, refs: int) -> None:
        """Visit a schema whose expression Outlines puts into other text without brackets around it."""
        if self._is_bare(schema):
            self._found.refuse(path, "Outlines puts no brackets around the alternatives of the empty schema")
        else:
            self.visit(schema, path, refs)

    def _is_bare(self, schema: Any) -> bool:
        followed: list[Any] = []
        while isinstance(schema, Mapping) and next((key for key in ORDER if key in schema), None) == "$ref":
            target = resolve(self._root, schema["$ref"])
            if target is None or schema in followed:
                return False
            followed.append(schema)
            schema = target[1]
        return schema == {} and isinstance(schema, Mapping)


def _types(schema: Mapping[str, Any]) -> list[str]:
    given = schema.get("type", list(_TYPES))
    return [given] if isinstance(given, str) else list(given)


def _number(schema: Mapping[str, Any], keyword: str, default: int) -> float:
    value = schema.get(keyword, default)
    return value if isinstance(value, int | float) else default
