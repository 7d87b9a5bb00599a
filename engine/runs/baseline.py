"""Which run of a folder is the baseline of comparisons: its name, in a file next to the runs."""

from __future__ import annotations

from pathlib import Path

from engine.errors import EngineError
from engine.text import printable

FILE = "baseline"


def baseline_of(runs: Path) -> str | None:
    """The name of the baseline's folder; None if none is marked, or the mark cannot be read."""
    try:
        name = (runs / FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return name or None


def mark_baseline(runs: Path, name: str | None) -> None:
    """Mark the folder of this name as the baseline, or none. Raises EngineError if that cannot be written."""
    file = runs / FILE
    try:
        if name is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(f"{name}\n", encoding="utf-8")
    except OSError as error:
        raise EngineError(f"{printable(str(file))}: cannot be written ({error.strerror}).") from error
