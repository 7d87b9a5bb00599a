"""Adds a prompt to a suite's file, which keeps every byte of the rest: comments, order and layout."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Comment, Item, Key, Table, Whitespace

from engine.errors import BadInputError
from engine.faults import SuiteError, printable
from engine.files import read_text
from engine.suites import load_suite


def save_prompt(suite: Path, prompt: Mapping[str, Any]) -> None:
    """Put a [[prompt]] table after the last one of the file; without any, at the end.

    The file is replaced as a whole, and only by one that loads. Raises BadInputError: nothing was changed then.
    """
    text = read_text(suite)
    fresh = suite.with_name(f"{suite.name}.new")
    try:
        fresh.write_bytes(_with_prompt(suite, text, prompt).encode())
        shutil.copymode(suite, fresh)
        _refuse_unless_it_loads(fresh, suite)
        if read_text(suite) != text:
            raise BadInputError(f"{printable(str(suite))}: the file was changed meanwhile; save the prompt again.")
        os.replace(fresh, suite.resolve())  # a link stays, and what it points at is written
    except OSError as error:
        raise BadInputError(f"{printable(str(suite))}: cannot be written ({error.strerror}).") from error
    finally:
        fresh.unlink(missing_ok=True)


def as_toml(prompt: Mapping[str, Any]) -> str:
    """A prompt as the TOML of a suite's file, [[prompt]] line included."""
    tables = tomlkit.aot()
    tables.append(_table(prompt))
    document = tomlkit.document()
    document["prompt"] = tables
    return tomlkit.dumps(document)


def _with_prompt(suite: Path, text: str, prompt: Mapping[str, Any]) -> str:
    try:
        document = tomlkit.parse(text)
        prompts = document.get("prompt")
        if isinstance(prompts, AoT):
            after = _cut_trailing(prompts[-1])
            table = _table(prompt)
            table.value.body.extend(after)
            prompts.append(table)
        else:
            document.append("prompt", tomlkit.aot())
            document["prompt"].append(_table(prompt))
        return tomlkit.dumps(document)
    except TOMLKitError as error:
        raise BadInputError(f"{printable(str(suite))}: the prompt cannot be put into it ({error}).") from error


def _cut_trailing(table: Table) -> list[tuple[Key | None, Item]]:
    """Take what stands after a table's last key out of it: blank lines, and comments on what follows in the file."""
    body = table.value.body
    if body and isinstance(body[-1][1], Table):
        return _cut_trailing(body[-1][1])
    keys = [place for place, (key, _) in enumerate(body) if key is not None]
    cut = keys[-1] + 1 if keys else len(body)
    while cut < len(body) and isinstance(body[cut][1], Comment):  # right under the key: it is the key's
        cut += 1
    body[cut:], after = [], body[cut:]
    if after and isinstance(after[0][1], Whitespace):
        body.append((None, Whitespace("\n")))  # the new table has a blank line before it, as the next one has
    return after or [(None, Whitespace("\n"))]


def _table(values: Mapping[str, Any]) -> Table:
    table = tomlkit.table()
    for key, value in values.items():
        table[key] = _item(value)
    return table


def _item(value: Any) -> Item:
    if isinstance(value, str) and "\n" in value and '"""' not in value:
        return tomlkit.string(value, multiline=True)
    if isinstance(value, dict):
        inline = tomlkit.inline_table()
        inline.update({key: _item(each) for key, each in value.items()})
        return inline
    if isinstance(value, list):
        array = tomlkit.array()
        array.extend(_item(each) for each in value)
        return array
    item: Item = tomlkit.item(value)
    return item


def _refuse_unless_it_loads(fresh: Path, suite: Path) -> None:
    try:
        load_suite(fresh)
    except SuiteError as error:
        said = str(error).replace(str(fresh), str(suite))
        raise BadInputError(f"The prompt was not saved, the suite would not load with it. {said}") from error
