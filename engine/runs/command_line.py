"""The command line that a run came from, as its user typed it, without what is secret."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

_TYPED = "JSONBREAK_COMMAND_LINE"  # of the interface, for the engine that it starts
_PROGRAMS = ("jsonbreak", "jsonbreak.exe", "__main__.py")
_SECRET = re.compile(r"--?(?:[\w-]*[-_])?(?:key|token|secret|password|passwd|auth)", re.IGNORECASE)
_USER_OF_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")
HIDDEN = "***"


def command_line() -> list[str]:
    """Of this program; in the engine of an interface, what that one was started with."""
    argv = sys.argv
    if argv[1:2] == ["worker"]:
        argv = _handed_down() or argv
    program = Path(argv[0]).name  # not where it is installed
    return ["jsonbreak" if program in _PROGRAMS else program, *without_secrets(argv[1:])]


def export_command_line() -> None:
    """Have the engines that this process starts tell of this command line instead of their own."""
    os.environ[_TYPED] = json.dumps(sys.argv)


def without_secrets(arguments: Sequence[str]) -> list[str]:
    """With *** for the values of options such as --api-key, and for users and passwords in addresses."""
    shown, secret = [], False
    for argument in arguments:
        option, equals, _ = argument.partition("=")
        if secret:
            shown.append(HIDDEN)
        elif equals and _SECRET.fullmatch(option):
            shown.append(f"{option}={HIDDEN}")
        else:
            shown.append(_USER_OF_URL.sub(HIDDEN, argument))
        secret = not secret and _SECRET.fullmatch(argument) is not None
    return shown


def _handed_down() -> list[str] | None:
    try:
        typed = json.loads(os.environ[_TYPED])
    except (KeyError, ValueError):
        return None
    return typed if isinstance(typed, list) and typed and all(isinstance(each, str) for each in typed) else None
