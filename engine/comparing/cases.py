"""`--only-cases FILE`: the cases to compare on, such as those that were held out from training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import BadInputError
from engine.suites.files import BOM, read_json, read_text
from engine.text import printable, short_json

_KEY = "test_cases"


def read_cases(file: Path) -> frozenset[str]:
    """The ids in a text file, one a line with comments after #, or under "test_cases" of a JSON object.

    Raises BadInputError if it is neither, or names no case.
    """
    name, text = printable(str(file)), read_text(file).removeprefix(BOM)
    cases = frozenset(_of_card(name, text) if text.lstrip().startswith("{") else _of_lines(name, text))
    if not cases:
        raise BadInputError(f"{name}: it names no case; write the ids of cases, one a line.")
    return cases


def _of_lines(name: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if len(words) > 1:
            place = f"{name}, line {number}"
            raise BadInputError(f"{place}: an id of a case has no spaces; write one id a line, comments after #.")
        yield from words


def _of_card(name: str, text: str) -> list[str]:
    try:
        card = read_json(text)
    except ValueError as error:
        raise BadInputError(f"{name}: {error}.") from None
    if _KEY not in card:
        raise BadInputError(f'{name}: the key "{_KEY}" is missing; name the card of an export, or a list of case ids.')
    return _ids(name, card[_KEY])


def _ids(name: str, ids: Any) -> list[str]:
    if not isinstance(ids, list):
        raise BadInputError(f'{name}: "{_KEY}" must be an array of case ids, not {short_json(ids)}; correct it.')
    for number, each in enumerate(ids):
        if not isinstance(each, str):
            raise BadInputError(
                f"{name}: {_KEY}[{number}] must be the id of a case, not {short_json(each)}; correct it."
            )
    return ids
