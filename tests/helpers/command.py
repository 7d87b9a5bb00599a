"""A command of jsonbreak, run in the test's own process."""

from __future__ import annotations

import sys

import pytest

from engine.cli import main as cli


def jsonbreak(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int | str | None:
    """Run a command; its exit code."""
    monkeypatch.setattr(sys, "argv", ["jsonbreak", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as exit_:
        return exit_.code
    return 0
