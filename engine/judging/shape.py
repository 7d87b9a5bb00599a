"""Does a value satisfy the schema? jsonschema's errors as failure classes, places and sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias, get_args

from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from referencing.exceptions import Unresolvable

from engine.judging.verdict import FailureClass
from engine.judging.wording import (
    ValuePath,
    are_missing,
    describe_value,
    is_unknown,
    join_words,
    path_name,
    quote,
    type_of,
    with_article,
)
from engine.text import plural

_MOST_ERRORS = 1000  # of one value; classes that only later errors would add are not reported
_BRANCHES = ("anyOf", "oneOf")
# jsonschema types the attributes of an error as possibly Unset, which they never are in an error from a validator.
_Error: TypeAlias = Any
_RANK = {failure: rank for rank, failure in enumerate(get_args(FailureClass))}


@dataclass(frozen=True, slots=True)
class SchemaViolation:
    """One violation of the schema in a value."""

    failure: FailureClass
    path: ValuePath
    """Leads to the value that the sentence is about."""
    sentence: str
    key: str | None = None
    """The missing or additional key of the object at `path`, where that is the violation."""

    @property
    def at(self) -> ValuePath:
        """The path of what is wrong itself: of the key, where the violation is a key."""
        return self.path if self.key is None else (*self.path, self.key)


def schema_violations(validator: Validator, value: Any, at: ValuePath = ()) -> list[SchemaViolation]:
    """The violations in `value`, sorted by class in the order of FailureClass; empty when it is valid.

    at: the path of `value`, where it is part of another value.
    """
    violations: list[SchemaViolation] = []
    try:
        for error in islice(validator.iter_errors(value), _MOST_ERRORS):
            error.relative_path.extendleft(reversed(at))
            for leaf in _leaves(error):
                violations += _violations_of(leaf)
    except (RecursionError, ArithmeticError, ValueError, Unresolvable) as reason:
        # The schema may be to blame (a pattern too large, recursion too deep), but what cannot be checked is not valid.
        sentence = f"The value could not be checked against the schema ({type(reason).__name__})"
        violations.append(SchemaViolation("constraint", at, sentence))
    return sorted(violations, key=lambda violation: _RANK[violation.failure])


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """The errors that explain what is wrong: for anyOf and oneOf, those of the branch that was most likely meant."""
    if error.validator not in _BRANCHES or not error.context:
        yield error
        return
    branches: dict[Any, list[ValidationError]] = {}
    for part in error.context:
        if part.relative_schema_path:  # empty for a branch that is `false`
            branches.setdefault(part.relative_schema_path[0], []).append(part)
    # Most likely meant is a branch that accepts the value's type; among those, the one whose tag fits, and then the one
    # with the fewest errors.
    near = [errors for errors in branches.values() if not any(_is_other_type(part) for part in errors)]
    if not near:
        yield error
        return
    for part in min(near, key=lambda errors: (sum(map(_is_tag, errors)), len(errors))):
        yield from _leaves(part)


def _is_other_type(error: ValidationError) -> bool:
    """Whether the value is of another type than the branch requires."""
    return error.validator == "type" and not error.relative_path


def _is_tag(error: ValidationError) -> bool:
    """Whether the value, or a key of it, distinguishes the branches: {"tool": {"const": "search"}}."""
    return error.validator in ("const", "enum") and len(error.relative_path) <= 1


def _violations_of(error: _Error) -> list[SchemaViolation]:
    path: ValuePath = tuple(error.absolute_path)
    keyword, wanted, value = error.validator, error.validator_value, error.instance
    if keyword == "type":
        return [_wrong_type(path, [wanted] if isinstance(wanted, str) else list(wanted), value)]
    if keyword in _BRANCHES and error.context and all(map(_is_other_type, error.context)):
        return [_wrong_type(path, _types_of(error.context), value)]
    if _is_of_a_key(error):
        return [SchemaViolation("constraint", path, f"The key {_constraint(error)}", value)]
    missing, extra = _missing_keys(error), _extra_keys(error)
    inside = f" in {path_name(path)}" if path else ""
    if missing:
        return [SchemaViolation("missing_key", path, f"{are_missing(missing)}{inside}", key) for key in missing]
    if extra:
        return [SchemaViolation("extra_key", path, f"{is_unknown(key)}{inside}", key) for key in extra]
    return [SchemaViolation("constraint", path, f"{path_name(path)} {_constraint(error)}")]


def _is_of_a_key(error: _Error) -> bool:
    """Whether `propertyNames` reports it: then the error's value is a key, and its path leads to the object."""
    steps = list(error.absolute_schema_path)
    return any(
        step == "propertyNames" and (at == 0 or steps[at - 1] not in ("properties", "patternProperties", "$defs"))
        for at, step in enumerate(steps)
    )


def _wrong_type(path: ValuePath, types: list[str], value: Any) -> SchemaViolation:
    failure: FailureClass = "wrong_type"
    if not path and types == ["object"]:
        failure = "not_object"
    asked = join_words([with_article(name) for name in types])
    return SchemaViolation(failure, path, f"{path_name(path)} is {type_of(value)} where {asked} was asked for")


def _types_of(errors: Sequence[_Error]) -> list[str]:
    types: dict[str, None] = {}
    for error in errors:
        wanted = error.validator_value
        types.update(dict.fromkeys([wanted] if isinstance(wanted, str) else wanted))
    return list(types)


def _missing_keys(error: _Error) -> list[str]:
    """The keys missing by `required`, or because another key is present. jsonschema reports one error for each."""
    if error.validator == "required":
        return [key for key in error.validator_value if key not in error.instance]
    if error.validator in ("dependentRequired", "dependencies"):
        lists = [
            keys for key, keys in error.validator_value.items() if key in error.instance and isinstance(keys, list)
        ]
        return [key for keys in lists for key in keys if key not in error.instance]
    return []


def _extra_keys(error: _Error) -> list[str]:
    if error.validator == "additionalProperties" and error.validator_value is False:
        known, patterns = error.schema.get("properties", {}), error.schema.get("patternProperties", {})
        return [k for k in error.instance if k not in known and not any(re.search(pattern, k) for pattern in patterns)]
    if error.validator == "properties":  # the keys with the schema `false`
        return [key for key, below in error.validator_value.items() if below is False and key in error.instance]
    if error.validator == "unevaluatedProperties":  # only the error's message names the key
        return list(islice((key for key in error.instance if repr(key) in error.message), 1))
    return []


def _constraint(error: _Error) -> str:
    """The rest of a sentence about a value that has the right type and is still not valid."""
    keyword, wanted, value = error.validator, error.validator_value, error.instance
    if keyword is None:
        return "is not allowed here"
    sized = {"Items": "item", "Properties": "key", "Length": "character"}
    noun = next((noun for ending, noun in sized.items() if str(keyword).endswith(ending)), "")
    number = len(value) if noun and isinstance(value, str | list | dict) else 0
    got = describe_value(value)
    limit = join_words([describe_value(each) for each in wanted]) if keyword == "enum" else describe_value(wanted)
    sentences = {
        "enum": f"is {got} where {limit} was asked for",
        "const": f"is {got} where {limit} was asked for",
        "minimum": f"is {got}, less than {limit}",
        "exclusiveMinimum": f"is {got}, not more than {limit}",
        "maximum": f"is {got}, more than {limit}",
        "exclusiveMaximum": f"is {got}, not less than {limit}",
        "multipleOf": f"is {got}, not a multiple of {limit}",
        "pattern": f"is {got}, which does not match the pattern {limit}",
        "format": f"is {got}, which is not of the format {limit}",
        "uniqueItems": "has an item twice",
    }
    if keyword in sentences:
        return sentences[str(keyword)]
    if noun:
        least = "at least" if str(keyword).startswith("min") else "at most"
        return f"has {plural(number, noun)} where {least} {limit} were asked for"
    if keyword in ("items", "additionalItems", "unevaluatedItems"):
        return f"has {plural(len(value), 'item')}, more than were asked for"
    if keyword == "oneOf" and not error.context:
        return "fits several of the schemas of which it may fit only one"
    return f"does not satisfy {quote(str(keyword))} of the schema"
