"""Does a value have the shape that the schema asks for? jsonschema's errors as classes, places and sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias, get_args

from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from referencing.exceptions import Unresolvable

from engine.judging.verdict import FailureClass
from engine.judging.wording import Path, count, listed, name, quote, show, type_of, with_article

ERRORS_READ = 1000  # in a value with more, what the others would add to the classes is left out
_BRANCHES = ("anyOf", "oneOf")
# jsonschema types what an error holds as "or Unset", which no error has that a validator reports.
_Error: TypeAlias = Any
_RANK = {failure: rank for rank, failure in enumerate(get_args(FailureClass))}


@dataclass(frozen=True, slots=True)
class ShapeFault:
    """One thing wrong with the shape of a value. `path` leads to the value that it is said of.

    key: the key that object lacks or has too many, if that is the fault.
    """

    failure: FailureClass
    path: Path
    sentence: str
    key: str | None = None

    @property
    def at(self) -> Path:
        """The path of what is wrong itself: of the key, where the fault is a key."""
        return self.path if self.key is None else (*self.path, self.key)


def shape_faults(validator: Validator, value: Any, at: Path = ()) -> list[ShapeFault]:
    """What is wrong with the shape of `value`, by class in the order of FailureClass; empty when it is valid.

    at: where the value itself lies, when it is a part of another one.
    """
    faults: list[ShapeFault] = []
    try:
        for error in islice(validator.iter_errors(value), ERRORS_READ):
            error.relative_path.extendleft(reversed(at))
            for leaf in _leaves(error):
                faults += _faults_of(leaf)
    except (RecursionError, ArithmeticError, ValueError, Unresolvable) as reason:
        # Not the reply's fault alone (a pattern too large, a value too deep for a recursive schema), but not valid.
        said = f"The value could not be checked against the schema ({type(reason).__name__})"
        faults.append(ShapeFault("constraint", at, said))
    return sorted(faults, key=lambda fault: _RANK[fault.failure])


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """The errors that say what is wrong: of anyOf and oneOf, those of the branch that was most likely meant."""
    if error.validator not in _BRANCHES or not error.context:
        yield error
        return
    branches: dict[Any, list[ValidationError]] = {}
    for part in error.context:
        if part.relative_schema_path:  # the error of a branch that is `false` has none
            branches.setdefault(part.relative_schema_path[0], []).append(part)
    near = [errors for errors in branches.values() if not any(_is_other_type(part) for part in errors)]
    if not near:
        yield error
        return
    for part in min(near, key=lambda errors: (sum(map(_is_tag, errors)), len(errors))):
        yield from _leaves(part)


def _is_other_type(error: ValidationError) -> bool:
    """Whether the value is of another type than the branch asks for."""
    return error.validator == "type" and not error.relative_path


def _is_tag(error: ValidationError) -> bool:
    """Whether it is the value, or a key of it, that tells the branches apart: {"tool": {"const": "search"}}."""
    return error.validator in ("const", "enum") and len(error.relative_path) <= 1


def _faults_of(error: _Error) -> list[ShapeFault]:
    path: Path = tuple(error.absolute_path)
    keyword, wanted, value = error.validator, error.validator_value, error.instance
    if keyword == "type":
        return [_wrong_type(path, [wanted] if isinstance(wanted, str) else list(wanted), value)]
    if keyword in _BRANCHES and error.context and all(map(_is_other_type, error.context)):
        return [_wrong_type(path, _types_of(error.context), value)]
    if _is_of_a_key(error):
        return [ShapeFault("constraint", path, f"The key {_constraint(error)}", value)]
    missing, extra = _missing_keys(error), _extra_keys(error)
    inside = f" in {name(path)}" if path else ""
    if missing:
        said = (
            f"{listed([quote(key) for key in missing], 'and')} {'is' if len(missing) == 1 else 'are'} missing{inside}"
        )
        return [ShapeFault("missing_key", path, said, key) for key in missing]
    if extra:
        return [
            ShapeFault("extra_key", path, f"{quote(key)} is not among the keys asked for{inside}", key) for key in extra
        ]
    return [ShapeFault("constraint", path, f"{name(path)} {_constraint(error)}")]


def _is_of_a_key(error: _Error) -> bool:
    """Whether `propertyNames` found it: the error's value is a key then, and its path leads to the object."""
    steps = list(error.absolute_schema_path)
    return any(
        step == "propertyNames" and (at == 0 or steps[at - 1] not in ("properties", "patternProperties", "$defs"))
        for at, step in enumerate(steps)
    )


def _wrong_type(path: Path, types: list[str], value: Any) -> ShapeFault:
    failure: FailureClass = "wrong_type"
    if not path and types == ["object"]:
        failure = "not_object"
    asked = listed([with_article(kind) for kind in types])
    return ShapeFault(failure, path, f"{name(path)} is {type_of(value)} where {asked} was asked for")


def _types_of(errors: Sequence[_Error]) -> list[str]:
    types: dict[str, None] = {}
    for error in errors:
        wanted = error.validator_value
        types.update(dict.fromkeys([wanted] if isinstance(wanted, str) else wanted))
    return list(types)


def _missing_keys(error: _Error) -> list[str]:
    """The keys that are missing by `required`, or because another key is there. jsonschema has one error for each."""
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
    if error.validator == "unevaluatedProperties":  # only its message says which
        return list(islice((key for key in error.instance if repr(key) in error.message), 1))
    return []


def _constraint(error: _Error) -> str:
    """What a sentence says of a value that has the right type and is still not valid."""
    keyword, wanted, value = error.validator, error.validator_value, error.instance
    if keyword is None:
        return "is not allowed here"
    sized = {"Items": "item", "Properties": "key", "Length": "character"}
    noun = next((noun for ending, noun in sized.items() if str(keyword).endswith(ending)), "")
    number = len(value) if noun and isinstance(value, str | list | dict) else 0
    sentences: dict[str, Callable[[], str]] = {
        "enum": lambda: f"is {show(value)} where {listed([show(each) for each in wanted])} was asked for",
        "const": lambda: f"is {show(value)} where {show(wanted)} was asked for",
        "minimum": lambda: f"is {show(value)}, less than {show(wanted)}",
        "exclusiveMinimum": lambda: f"is {show(value)}, not more than {show(wanted)}",
        "maximum": lambda: f"is {show(value)}, more than {show(wanted)}",
        "exclusiveMaximum": lambda: f"is {show(value)}, not less than {show(wanted)}",
        "multipleOf": lambda: f"is {show(value)}, not a multiple of {show(wanted)}",
        "pattern": lambda: f"is {show(value)}, which does not match the pattern {show(wanted)}",
        "format": lambda: f"is {show(value)}, which is not of the format {show(wanted)}",
        "uniqueItems": lambda: "has an item twice",
    }
    if keyword in sentences:
        return sentences[str(keyword)]()
    if noun:
        least = "at least" if str(keyword).startswith("min") else "at most"
        return f"has {count(number, noun)} where {least} {show(wanted)} were asked for"
    if keyword in ("items", "additionalItems", "unevaluatedItems"):
        return f"has {count(len(value), 'item')}, more than were asked for"
    if keyword == "oneOf" and not error.context:
        return "fits several of the schemas of which it may fit only one"
    return f"does not satisfy {quote(str(keyword))} of the schema"
