"""Reads the files of a suite: text, TOML and JSON, with one sentence for anything that may be wrong with them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import jiter
import tomli

from engine.suites.faults import Fault, SuiteError
from engine.suites.toml_lines import KeyPath

BOM = "\ufeff"  # some editors begin a file with it; TOML and JSON do not allow it


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, line endings unchanged. Raises SuiteError."""
    try:
        if path.is_dir():
            raise SuiteError(f"{path}: this is a folder, not a file; name a file in it")
        if path.exists() and not path.is_file():
            raise SuiteError(f"{path}: this is not a regular file; name a file")
        data = path.read_bytes()
    except FileNotFoundError:
        raise SuiteError(f"{path}: there is no such file; {neighbour(path)}") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise SuiteError(f"{path}: cannot be read ({reason}); fix that or name another file") from None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise SuiteError(f"{path}, line {line}: the byte 0x{byte:02x} is not UTF-8; save the file as UTF-8") from None


def neighbour(path: Path) -> str:
    """The remedy for a name that does not exist."""
    try:
        close = difflib.get_close_matches(path.name, [each.name for each in path.parent.iterdir()], n=1)
    except FileNotFoundError:
        return f"nor is there a folder {path.parent}: check the name"
    except OSError:
        close = []
    return f"did you mean {path.with_name(close[0])}?" if close else "check the name"


def read_toml(path: Path, text: str) -> dict[str, Any]:
    """The value of a TOML text. Raises SuiteError, which names `path`."""
    try:
        data = tomli.loads(text.removeprefix(BOM))
    except tomli.TOMLDecodeError as error:
        place = f"{path}, line {error.lineno}, column {error.colno}"
        if error.pos >= len(error.doc):
            place = f"{path}, at the end of the file"
        raise SuiteError(f"{place}: this is not TOML: {error.msg}; {_toml_remedy(error.msg)}") from None
    except ValueError:  # Python's limit on the digits of an integer, which tomli does not convert
        raise SuiteError(f"{path}: an integer has thousands of digits; write a smaller one") from None
    if not data:
        remedy = "a suite needs a name, a [schema], a [[prompt]] and a [[case]]"
        raise SuiteError(f"{path}: the file is empty; {remedy}")
    return data


def _toml_remedy(message: str) -> str:
    remedies = {
        "Invalid value": "put strings in quotes; only true, false, numbers and dates need none",
        "Unterminated string": "close the quotes",
        r"Illegal character '\n'": "close the quotes, or put three quotes around text of several lines",
        "Illegal character": "write the character as an escape",
        "Unescaped": r"write \\ for a backslash, or use single quotes",
        "Cannot overwrite": "a key may occur only once",
        "Cannot declare": "join the two tables, or write [[ ]] to begin one more of several",
        "Invalid statement": "a line is key = value, [table] or [[table]]; quote keys with other signs than - and _",
        "Unclosed": "close the bracket, or put the missing comma",
    }
    return next((text for start, text in remedies.items() if message.startswith(start)), "correct the TOML there")


def not_json(value: Any, path: KeyPath = ()) -> Iterator[Fault]:
    """Values that TOML can express and JSON cannot: dates, times, infinity and nan."""
    if isinstance(value, date | datetime | time):
        yield Fault(path, f'JSON has no dates; write it in quotes: "{value.isoformat()}"')
    elif isinstance(value, float) and not math.isfinite(value):
        yield Fault(path, f"JSON has no {value}; write a finite number")
    elif isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from not_json(part, (*path, key))


def read_json(text: str) -> Any:
    """Strict JSON: no NaN, no duplicate keys, no lone surrogates. Raises ValueError with a remedy."""
    try:
        value = jiter.from_json(text.encode(), allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        raise ValueError(f"this is not JSON: {error}; correct it there") from None
    too_large = next(not_json(value), None)  # 1e999
    if too_large:
        raise ValueError(too_large.text)
    return value
