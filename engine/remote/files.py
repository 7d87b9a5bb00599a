"""Sends a suite to an engine on another machine, as texts that are stored there in their own folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import tomli

from engine.errors import BadInputError, EngineError
from engine.suites.suite import load_suite
from engine.text import printable, short_json

SUITES = ".suites"
"""The folder for suites that were sent, below the folder of the runs."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A suite as it is sent."""

    files: dict[str, str]
    """Texts by their path. Its first part is a hash of all texts, so that a changed suite replaces no other."""
    suite: str
    """The path of the suite itself."""


def pack_suite(path: Path) -> Sent:
    """The suite's file and the files that it names. Raises BadInputError where the suite is not well formed."""
    suite = load_suite(path)
    whole = path.absolute()
    texts = {whole: suite.text}
    for name in _named_files(tomli.loads(suite.text)):
        if Path(name).is_absolute():
            raise BadInputError(
                f"{printable(str(path))}, schema_file: {short_json(name)} is a path of this machine, and the engine "
                "is on another; name it relative to the suite."
            )
        file = Path(os.path.normpath(whole.parent / name))
        texts[file] = file.read_text(encoding="utf-8")
    root = Path(os.path.commonpath([file.parent for file in texts]))
    names = {file: file.relative_to(root).as_posix() for file in texts}
    content = "".join(f"{names[file]}\0{text}\0" for file, text in texts.items())
    folder = hashlib.sha256(content.encode()).hexdigest()[:16]
    return Sent({f"{folder}/{names[file]}": text for file, text in texts.items()}, f"{folder}/{names[whole]}")


def write_files(files: Mapping[str, str], folder: Path) -> None:
    """Write texts below a folder. Raises BadInputError for a path outside it, EngineError where writing fails."""
    for name, text in files.items():
        parts = PurePosixPath(name).parts
        if not parts or ".." in parts or name.startswith("/"):
            raise BadInputError(f"{short_json(name)} is no place for a file that is sent.")
        file = folder.joinpath(*parts)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            reason = f"cannot be written ({error.strerror})"
            raise EngineError(f"{printable(str(file))}: {reason}, so the engine has no suite.") from error


def _named_files(data: Mapping[str, Any]) -> Iterator[str]:
    for table in (data, *data.get("prompt", [])):
        if "schema_file" in table:
            yield table["schema_file"]
