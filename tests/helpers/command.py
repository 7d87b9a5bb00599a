"""A command of jsonbreak, run in the test's own process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import TypeAlias

import pytest

from engine.cli import main as cli

Finished: TypeAlias = subprocess.CompletedProcess[str]
Command: TypeAlias = Callable[..., Finished]
"""What the fixture `jsonbreak` is: the words after the program's name → exit code and streams."""


def jsonbreak(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int | str | None:
    """Run a command; its exit code."""
    monkeypatch.setattr(sys, "argv", ["jsonbreak", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as exit_:
        return exit_.code
    return 0
