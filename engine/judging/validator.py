"""The full JSON Schema validator that replies are judged with: jsonschema's, with five keywords of our own.

They keep the meaning that the specification gives them:
- multipleOf in decimal arithmetic: 19.99 is a multiple of 0.01, but not in binary floating point;
- uniqueItems in linear time: jsonschema compares every pair when items cannot be sorted;
- properties reports which key has the schema `false`, which jsonschema's error leaves out;
- anyOf and oneOf keep a limited number of errors per branch, so that 10 MB of wrong items do not exhaust memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

from engine.judging.compare import exact
from engine.judging.unordered import number_key

_MOST_ERRORS_PER_BRANCH = 100


def build_validator(schema: Mapping[str, Any]) -> Validator:
    """The validator of a valid schema in the dialect that `$schema` names, 2020-12 by default. Formats are asserted.

    `$ref` resolves only inside the schema and to the dialects themselves: nothing is ever fetched.
    """
    dialect = validator_for(schema, default=Draft202012Validator)
    keywords = {
        "multipleOf": _multiple_of,
        "uniqueItems": _unique_items,
        "properties": _properties,
        "anyOf": _any_of,
        "oneOf": _one_of,
    }
    known = {name: check for name, check in keywords.items() if name in dialect.VALIDATORS}
    ours: type[Validator] = extend(dialect, known)  # type: ignore[no-untyped-call]
    return ours(schema, registry=REGISTRY, format_checker=dialect.FORMAT_CHECKER)


def _multiple_of(validator: Any, factor: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "number"):
        return
    try:
        whole = (exact(instance) / exact(factor)).denominator == 1
    except ValueError:  # 1e999 reads as infinity
        whole = False
    if not whole:
        yield ValidationError(f"not a multiple of {factor}")


def _unique_items(validator: Any, unique: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if unique and validator.is_type(instance, "array") and len({_hashable(item) for item in instance}) < len(instance):
        yield ValidationError("items are not unique")


def _hashable(value: Any) -> Any:
    """Equal for values that JSON Schema considers equal: 1 and 1.0 (not true and 1), keys in any order."""
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, list):
        return (list, *map(_hashable, value))
    if isinstance(value, dict):
        return (dict, frozenset((key, _hashable(item)) for key, item in value.items()))
    return number_key(value) if isinstance(value, int | float) else value


def _properties(validator: Any, properties: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    for key, below in properties.items():
        if key in instance and below is False:
            yield ValidationError(f"{key} is not allowed")
        elif key in instance:
            yield from validator.descend(instance[key], below, path=key, schema_path=key)


def _any_of(validator: Any, branches: Sequence[Any], instance: Any, schema: Any) -> Iterator[ValidationError]:
    errors: list[ValidationError] = []
    for branch in _errors_by_branch(validator, branches, instance):
        if not branch:
            return
        errors += branch
    yield ValidationError("fits none of the schemas", context=errors)


def _one_of(validator: Any, branches: Sequence[Any], instance: Any, schema: Any) -> Iterator[ValidationError]:
    errors_of = list(_errors_by_branch(validator, branches, instance))
    fitting = sum(not errors for errors in errors_of)
    if fitting > 1:
        yield ValidationError(f"fits {fitting} schemas where it may fit only one")
    elif not fitting:
        yield ValidationError("fits none of the schemas", context=[error for errors in errors_of for error in errors])


def _errors_by_branch(validator: Any, branches: Sequence[Any], instance: Any) -> Iterator[list[ValidationError]]:
    for index, branch in enumerate(branches):
        yield list(islice(validator.descend(instance, branch, schema_path=index), _MOST_ERRORS_PER_BRANCH))
