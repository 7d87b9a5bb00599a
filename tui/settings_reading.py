"""Reads the settings file; what is wrong with it in a sentence for each mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import BadInputError
from engine.suites.faults import Fault, dotted
from engine.suites.files import read_text, read_toml
from engine.suites.toml_lines import key_lines, nearest_line
from engine.text import did_you_mean, printable, short_json, type_name
from tui import keymap
from tui.settings import Keys, Settings, default_settings
from tui.themes import NAMES


def read_settings(file: Path) -> Settings:
    """The settings of a file that exists; the defaults for those that it leaves out.

    Raises BadInputError with a sentence for each mistake, which names file, line and key.
    """
    text = read_text(file)
    data: dict[str, Any] = read_toml(file, text)
    faults = list(_faults(data))
    if faults:
        lines = key_lines(text)
        raise BadInputError("\n".join(_sentence(file, nearest_line(lines, each.path), each) for each in faults))
    if "keys" in data:
        data["keys"] = _remapped(data["keys"])
    return msgspec.convert({"keep_running": default_settings().keep_running} | data, Settings)


def _faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    for key, value in data.items():
        if key == "keys" and isinstance(value, dict):
            yield from list(_key_faults(value)) or _clash_faults(value)
        elif not _fits({key: value}, Settings):  # one key at a time: msgspec stops at the first mistake
            yield Fault((key,), _wrong(key, value))


def _fits(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _wrong(key: str, value: object) -> str:
    match key:
        case "theme":
            return f"there is no theme {short_json(value)}; {did_you_mean(str(value), NAMES)}"
        case "keep_running":
            return f"must be true or false, not {type_name(value)}; write one of the two"
        case "keys":
            return f"must be a table, not {type_name(value)}; write [keys]"
    return f"unknown key {short_json(key)}; {did_you_mean(key, Settings.__struct_fields__)}"


def _key_faults(table: Mapping[str, object]) -> Iterator[Fault]:
    for path, written in _flat(table).items():
        place, name = ("keys", *path), ".".join(path)
        if name not in keymap.NAMES:
            yield Fault(place, f"no key has this name; {did_you_mean(name, keymap.NAMES)}")
        elif not isinstance(written, str) or not _fits(written, Keys):
            wanted = 'a key, or several with commas, such as "ctrl+n,f9"'
            found = short_json(written) if isinstance(written, str) else type_name(written)
            yield Fault(place, f"must be {wanted}, not {found}")
        else:
            for key in keymap.unknown_keys(written):
                guess = did_you_mean(key.lower(), keymap.KEY_NAMES)
                yield Fault(place, f"there is no key {short_json(key)}; {guess}")


def _clash_faults(table: Mapping[str, object]) -> Iterator[Fault]:
    paths = {".".join(path): path for path in _flat(table)}
    for name, other, key in keymap.clashes(_remapped(table)):
        sentence = f"{short_json(key)} is the key of {other} at the same time; take another"
        yield Fault(("keys", *paths[name]), sentence)


def _flat(table: Mapping[str, object], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], object]:
    """The keys of a table by their paths: TOML takes `run.find` for a table `run`, unless it is in quotes."""
    flat: dict[tuple[str, ...], object] = {}
    for name, value in table.items():
        flat |= _flat(value, (*path, name)) if isinstance(value, dict) else {(*path, name): value}
    return flat


def _remapped(table: Mapping[str, object]) -> dict[str, str]:
    return {".".join(path): str(written) for path, written in _flat(table).items()}


def _sentence(file: Path, line: int | None, fault: Fault) -> str:
    return printable(f"{file}{f', line {line}' if line else ''}, {dotted(fault.path)}: {fault.text}")
