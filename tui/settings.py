"""What the user has set for the interface: `settings.toml` in the user's configuration folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from engine.suites.faults import Fault


@dataclass(frozen=True, slots=True)
class Settings:
    """theme: one of tui.themes, None for the one that suits the terminal. keys: other keys for some of tui.keys.

    keep_running: whether a run goes on when the connection drops.
    """

    theme: str | None = None
    keep_running: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)


USUAL = Settings()


def settings_file() -> Path:
    """Where the settings are, if there are any."""
    return platformdirs.user_config_path("jsonbreak", appauthor=False) / "settings.toml"


def read_settings(file: Path) -> Settings:
    """The settings of a file; the usual ones where there is none.

    Over SSH, where connections drop, a run keeps running unless the file says otherwise.
    Raises BadInputError with a sentence for each mistake, which names file, line and key.
    """
    keep_running = "SSH_CONNECTION" in os.environ
    if not file.exists():
        return Settings(keep_running=keep_running)
    from engine.suites.files import read_text, read_toml

    text = read_text(file)
    data = read_toml(file, text)
    faults = _faults(data)
    if faults:
        _refuse(file, text, faults)
    return Settings(data.get("theme"), data.get("keep_running", keep_running), _remapped(data.get("keys", {})))


def _faults(data: Mapping[str, object]) -> list[Fault]:
    from engine.suites.faults import Fault
    from engine.text import did_you_mean, short_json, type_name
    from tui.themes import NAMES

    faults = []
    for key, value in data.items():
        if key == "theme":
            if value not in NAMES:
                faults.append(
                    Fault((key,), f"there is no theme {short_json(value)}; {did_you_mean(str(value), NAMES)}")
                )
        elif key == "keep_running":
            if not isinstance(value, bool):
                faults.append(Fault((key,), f"must be true or false, not {type_name(value)}; write one of the two"))
        elif key == "keys":
            if isinstance(value, dict):
                faults += _key_faults(value)
            else:
                faults.append(Fault((key,), f"must be a table, not {type_name(value)}; write [keys]"))
        else:
            known = ("theme", "keep_running", "keys")
            faults.append(Fault((key,), f"unknown key {short_json(key)}; {did_you_mean(key, known)}"))
    return faults


def _flat(table: Mapping[str, object], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], object]:
    """The keys of a table by their paths: TOML takes `run.find` for a table `run`, unless it is in quotes."""
    flat: dict[tuple[str, ...], object] = {}
    for name, value in table.items():
        flat |= _flat(value, (*path, name)) if isinstance(value, dict) else {(*path, name): value}
    return flat


def _key_faults(table: Mapping[str, object]) -> list[Fault]:
    from engine.suites.faults import Fault
    from engine.text import did_you_mean, type_name
    from tui.keymap import NAMES

    faults = []
    for path, written in _flat(table).items():
        name = ".".join(path)
        if name not in NAMES:
            faults.append(Fault(("keys", *path), f"no key has this name; {did_you_mean(name, NAMES)}"))
        elif not isinstance(written, str) or not all(key.strip() for key in written.split(",")):
            wanted = 'a key, or several with commas, such as "ctrl+n,f9"'
            faults.append(Fault(("keys", *path), f"must be {wanted}, not {type_name(written)}"))
        else:
            faults += _unknown_key_faults(path, written)
    return faults or _clash_faults(table)


def _unknown_key_faults(path: tuple[str, ...], written: str) -> list[Fault]:
    from engine.suites.faults import Fault
    from engine.text import did_you_mean, short_json
    from tui.keymap import KEY_NAMES, unknown_keys

    return [
        Fault(("keys", *path), f"there is no key {short_json(key)}; {did_you_mean(key.lower(), KEY_NAMES)}")
        for key in unknown_keys(written)
    ]


def _clash_faults(table: Mapping[str, object]) -> list[Fault]:
    from engine.suites.faults import Fault
    from engine.text import short_json
    from tui.keymap import clashes

    paths = {".".join(path): path for path in _flat(table)}
    found = clashes(_remapped(table))
    return [
        Fault(("keys", *paths[name]), f"{short_json(key)} is the key of {other} at the same time; take another")
        for name, other, key in found
    ]


def _remapped(table: Mapping[str, object]) -> dict[str, str]:
    return {".".join(path): str(written) for path, written in _flat(table).items()}


def _refuse(file: Path, text: str, faults: list[Fault]) -> None:
    from engine.errors import BadInputError
    from engine.suites.faults import dotted
    from engine.suites.toml_lines import key_lines, nearest_line
    from engine.text import printable

    lines = key_lines(text)
    sentences = []
    for fault in faults:
        line = nearest_line(lines, fault.path)
        place = f"{file}{f', line {line}' if line else ''}, {dotted(fault.path)}"
        sentences.append(printable(f"{place}: {fault.text}"))
    raise BadInputError("\n".join(sentences))
