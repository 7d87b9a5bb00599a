"""The folder on this machine that `--model` names, found before anything heavy is imported."""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import BadInputError
from engine.text import printable


def local_folder(name: str) -> Path | None:
    """The model's folder; None where the name can only be one on the hub. Raises BadInputError for a wrong path."""
    path, shown = os.path.expanduser(name), printable(name)  # Path.expanduser raises for users that do not exist
    if os.path.isdir(path):
        return Path(path).resolve()
    if os.path.exists(path):
        raise BadInputError(f"{shown} is a file; --model takes the folder it is in, or a name on the hub.")
    if name.startswith((".", "~", os.sep)):
        raise BadInputError(f"There is no folder {shown}.")
    return None
