"""Paths that a command line names."""

from __future__ import annotations

from pathlib import Path


def default_suites() -> Path:
    """`suites` in the current folder where there is one, else the suites that came with the program."""
    here = Path("suites")
    return here if here.is_dir() else Path(__file__).parents[2] / "suites"
