"""The two kinds of error a user is told of in one sentence, without a traceback."""

from __future__ import annotations


class BadInputError(Exception):
    """Something the user gave is wrong and can be mended: exit code 2. The message is what is shown."""


class EngineError(Exception):
    """Something went wrong while running: exit code 1. The message is what is shown."""


INTERRUPTED = 130
"""The exit code of a program that ctrl+c ended, as shells have it."""
