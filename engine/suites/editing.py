"""Adds a prompt to a suite's file without changing any other byte: comments, order and layout stay."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli
import tomlkit
from tomlkit.items import Item, Table

from engine.errors import BadInputError
from engine.suites.faults import SuiteError, dotted
from engine.suites.files import BOM, read_text, read_toml
from engine.suites.schemas import read_schema
from engine.suites.suite import load_suite
from engine.suites.toml_lines import KeyPath, key_lines
from engine.text import printable


def save_prompt(suite: Path, prompt: Mapping[str, Any]) -> None:
    """Add a [[prompt]] table after the last one in the file, or at its end if that is not possible.

    The file is replaced atomically, and only by one that loads and has exactly the old content and this prompt. If
    another prompt reads the same schema from a file, the new one refers to that file. On BadInputError nothing changed.
    """
    load_suite(suite)
    text = read_text(suite)
    whole = _with_prompt(suite, text, prompt)
    try:
        handle, name = tempfile.mkstemp(".new", f"{suite.name}.", suite.parent)
        fresh = Path(name)
        try:
            with open(handle, "wb") as file:
                file.write(whole.encode())
            shutil.copymode(suite, fresh)
            _refuse_unless_it_loads(fresh, suite)
            if read_text(suite) != text:
                raise BadInputError(f"{printable(str(suite))}: the file was changed meanwhile; save the prompt again.")
            os.replace(fresh, suite.resolve())  # resolve(): a symbolic link stays, its target is replaced
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise BadInputError(f"{printable(str(suite))}: cannot be written ({error.strerror}).") from error


def as_toml(prompt: Mapping[str, Any]) -> str:
    """A prompt as the TOML of a suite's file, [[prompt]] line included. It reads back as the same prompt.

    Raises BadInputError where TOML cannot express it.
    """
    null = _null(prompt, ())
    if null is not None:
        remedy = 'put the schema into a JSON file and name it in the suite\'s file by hand: schema_file = "…"'
        raise BadInputError(f"TOML has no null, and the prompt has one at {dotted(null)}; {remedy}.")
    tables = tomlkit.aot()
    tables.append(_table(prompt))
    document = tomlkit.document()
    document["prompt"] = tables
    text = tomlkit.dumps(document)
    if not _reads_as(text, {"prompt": [dict(prompt)]}):
        raise BadInputError("The prompt cannot be written as TOML: a text in it holds half a character; type it again.")
    return text


def _with_prompt(suite: Path, text: str, prompt: Mapping[str, Any]) -> str:
    """The file's text with the prompt in it."""
    bom, text = text[: text.startswith(BOM)], text.removeprefix(BOM)
    data = read_toml(suite, text)
    before = data.get("prompt", [])
    prompt = _schema_by_name(suite.parent, before, prompt)
    try:
        block = as_toml(prompt)
    except BadInputError as error:
        raise BadInputError(f"The prompt was not saved. {error}") from error
    wanted = {**data, "prompt": [*before, dict(prompt)]}
    places = key_lines(text)
    for offset in (_after_last_prompt(text, places, len(before)), len(text)):
        whole = _spliced(text, offset, block)
        if _reads_as(whole, wanted):
            return bom + whole
    remedy = "write each of them as a [[prompt]] table, then save again"
    place = f"{printable(str(suite))}, line {places[('prompt',)]}, prompt"
    raise BadInputError(f"{place}: no table can be added to prompts in one array, prompt = [ ]; {remedy}.")


def _schema_by_name(folder: Path, prompts: list[dict[str, Any]], prompt: Mapping[str, Any]) -> Mapping[str, Any]:
    """The prompt with its schema replaced by the file that another prompt of the suite reads the same schema from."""
    for file in (each["schema_file"] for each in prompts if "schema_file" in each):
        if "schema" in prompt and read_schema(folder / file) == prompt["schema"]:
            return {**{key: value for key, value in prompt.items() if key != "schema"}, "schema_file": file}
    return prompt


def _after_last_prompt(text: str, places: Mapping[KeyPath, int], prompts: int) -> int:
    """The offset at which the last prompt's table ends; the end of the text if there is none.

    Blank lines, and comments after a blank line or right above the next table, belong to what follows. Comments right
    below the table belong to it. A multi-line string that looks like comments can mislead this, so the caller checks
    that the result reads back as intended.
    """
    last = ("prompt", prompts - 1)
    if last not in places:
        return len(text)
    lines = text.split("\n")
    following = [line for path, line in places.items() if line > places[last] and path[:2] != last]
    end = min(following) - 1 if following else len(lines)
    at = end
    while not lines[at - 1].strip() or lines[at - 1].lstrip().startswith("#"):
        at -= 1
    idle = lines[at:end]
    to_next = 0 if following else len(idle)
    at += next((number for number, line in enumerate(idle) if not line.strip()), to_next)
    return min(sum(len(line) + 1 for line in lines[:at]), len(text))


def _spliced(text: str, offset: int, block: str) -> str:
    """The text with a block inserted, with a blank line before and after it, and with the text's line endings."""
    end = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
    before, after = text[:offset], text[offset:]
    if not before.endswith("\n"):
        before += end
    if not re.search(r"\n\r?\n\Z", before):
        before += end
    if after.partition("\n")[0].strip():
        after = end + after
    return before + block.replace("\n", end) + after


def _reads_as(text: str, wanted: Mapping[str, Any]) -> bool:
    """Whether a file with this text has exactly this value. repr distinguishes 1, 1.0 and true, which are equal."""
    try:
        return repr(tomli.loads(text.encode().decode())) == repr(wanted)
    except ValueError:
        return False


def _null(value: Any, path: KeyPath) -> KeyPath | None:
    """The path of the first null in a value."""
    if value is None:
        return path
    parts = value.items() if isinstance(value, Mapping) else enumerate(value if isinstance(value, list) else ())
    found = (_null(part, (*path, key)) for key, part in parts)
    return next((each for each in found if each is not None), None)


def _table(values: Mapping[str, Any]) -> Table:
    table = tomlkit.table()
    for key, value in values.items():
        table[key] = _item(value)
    return table


def _item(value: Any) -> Item:
    # tomlkit writes "\r" unescaped into multi-line strings, where parsers may read "\r\n" as "\n".
    if isinstance(value, str) and "\n" in value and "\r" not in value and '"""' not in value:
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
        reason = str(error).replace(printable(str(fresh)), printable(str(suite)))
        raise BadInputError(f"The prompt was not saved, the suite would not load with it. {reason}") from error
