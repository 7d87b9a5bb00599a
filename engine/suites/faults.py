"""What is wrong with a suite: each fault is one sentence with its place and its remedy."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import BadInputError
from engine.suites.toml_lines import KeyPath
from engine.text import did_you_mean, printable, short_json, type_name

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_MOST_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a suite."""

    path: KeyPath
    """The key that it concerns; () is the document itself."""
    text: str
    """ "What is wrong; what to do"."""


class SuiteError(BadInputError):
    """A suite that cannot be used. Its text has one sentence for each fault, on a line each, safe to print."""

    def __init__(self, *faults: str) -> None:
        self.faults = tuple(printable(fault) for fault in faults)
        lines = self.faults[:_MOST_FAULTS]
        if len(self.faults) > _MOST_FAULTS:
            lines += (f"and {len(self.faults) - _MOST_FAULTS} more errors; fix these first",)
        super().__init__("\n".join(lines))


# Keys that hold several tables, and how to add one.
_MANY = {
    "prompt": "[[prompt]] with a name and a user message",
    "example": "[[example]] with an input and an output",
    "case": "[[case]] with an id and an input",
}

# Keys of the document. Written too far down, TOML takes them for keys of the table above them.
_AT_THE_TOP = ("description", "schema_file", "task", "use")

_EXAMPLES = {
    "name": 'name = "…"',
    "id": 'id = "…", unique in the suite',
    "input": 'input = "…", the text that the model is to read',
    "user": 'user = "… {input}", the message that the model is sent',
    "output": "output = { … }, the reply to the example's input",
}

_EXPECTED = {
    "string_type": ("a string", "write it in quotes"),
    "int_type": ("a whole number", "write it without quotes and without a decimal point"),
    "float_type": ("a number", "write it without quotes"),
    "tuple_type": ("an array", "write it in square brackets"),
    "dict_type": ("a table", "write it as a table, [ ] or { }"),
    "model_type": ("a table", "write it as a table, [ ] or { }"),
}

_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def dotted(path: KeyPath) -> str:
    """A key path as people write it: case[2].input. Keys that TOML requires to be quoted are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part, ensure_ascii=False)
            text += f".{key}" if text else key
    return text


def faults_of(errors: list[ErrorDetails], known: Mapping[KeyPath, Collection[str]]) -> list[Fault]:
    """Pydantic's errors as faults. known: the keys of every table, by its path without the numbers."""
    misspelt = set()
    for error in errors:
        if error["type"] == "extra_forbidden":
            *table, key = error["loc"]
            close = difflib.get_close_matches(str(key), known[_without_numbers(tuple(table))], n=1)
            misspelt |= {(*table, word) for word in close}
    return [_fault_of(error, known) for error in errors if not _is_echo(error, misspelt)]


def _is_echo(error: ErrorDetails, misspelt: set[KeyPath]) -> bool:
    """Whether the error only follows from another one: a misspelt key, or an array whose items are all faulty."""
    if error["type"] == "missing":
        return error["loc"] in misspelt
    return error["type"] == "too_short" and bool(error["input"])


def _without_numbers(path: KeyPath) -> KeyPath:
    return tuple(part for part in path if isinstance(part, str))


def _fault_of(error: ErrorDetails, known: Mapping[KeyPath, Collection[str]]) -> Fault:
    path, kind, value, context = error["loc"], error["type"], error["input"], error.get("ctx", {})
    key = path[-1] if path else ""
    if kind == "missing" or (kind == "too_short" and key in _MANY):
        return _missing(path)
    if kind == "extra_forbidden":
        return Fault(path, _unknown_key(path, known))
    if kind == "tuple_type" and key in (*_MANY, "examples"):
        tables = ".".join(str(part) for part in _without_numbers(path))
        return Fault(path, f"must be an array of tables, not {type_name(value)}; write [[{tables}]]")
    if kind in _EXPECTED:
        wanted, remedy = _EXPECTED[kind]
        return Fault(path, f"must be {wanted}, not {type_name(value)}; {remedy}")
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return Fault(path, f"must be {words} {context[name]:.12g}, not {short_json(value)}; change the number")
    if kind == "finite_number":
        return Fault(path, f"must be a finite number, not {value}; change the number")
    if kind == "value_error":
        return Fault(path, str(context["error"]))
    return Fault(path, f"{error['msg']}; correct the value")


def _missing(path: KeyPath) -> Fault:
    key = str(path[-1])
    if key in _MANY:
        return Fault(path[:-1], f"the suite has no {key}s; add at least one {_MANY[key]}")
    place = "" if path[:-1] else " at the top of the file"
    return Fault(path[:-1], f'the key "{key}" is missing; add {_EXAMPLES[key]}{place}')


def _unknown_key(path: KeyPath, known: Mapping[KeyPath, Collection[str]]) -> str:
    key = str(path[-1])
    table = _without_numbers(path[:-1])
    close = did_you_mean(key, known[table])
    if table and key in _AT_THE_TOP:
        close = "it belongs at the top of the file: move it above the first line with a [ ]"
    return f"unknown key {short_json(key)}; {close}"
