"""The two errors whose message is shown to the user as it is, without a traceback, and an exit code."""

from __future__ import annotations


class BadInputError(Exception):
    """The user's input is wrong and can be fixed: exit code 2."""


class EngineError(Exception):
    """Something failed while running: exit code 1."""


INTERRUPTED = 130
"""The exit code of a program that ctrl+c ended, as in shells."""
