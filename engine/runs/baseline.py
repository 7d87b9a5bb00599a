"""Which run of a folder the others are compared with: its name, kept in a file beside the runs."""

from __future__ import annotations

from pathlib import Path

from engine.errors import EngineError
from engine.text import printable

FILE = "baseline"


def baseline_of(runs: Path) -> str | None:
    """The name of the baseline's folder; None where there is no mark, or one that cannot be read."""
    try:
        name = (runs / FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return name or None


def mark_baseline(runs: Path, name: str | None) -> None:
    """Mark the folder of this name, or with None no folder. Raises EngineError where that cannot be written."""
    file = runs / FILE
    try:
        if name is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(f"{name}\n", encoding="utf-8")
    except OSError as error:
        raise EngineError(f"{printable(str(file))}: cannot be written ({error.strerror}).") from error
