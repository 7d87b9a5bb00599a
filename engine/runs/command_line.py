"""The command line that a run was started with, as its user typed it, without secrets."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

_EXPORTED = "JSONBREAK_COMMAND_LINE"  # the interface's command line, for the engine that it starts
_PROGRAMS = ("jsonbreak", "jsonbreak.exe", "__main__.py")
_SECRET = re.compile(r"--?(?:[\w-]*[-_])?(?:key|token|secret|password|passwd|auth)", re.IGNORECASE)
_USER_OF_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")
HIDDEN = "***"


def command_line() -> list[str]:
    """The command line of this program; in the engine of an interface, that of the interface."""
    argv = sys.argv
    if argv[1:2] == ["worker"]:
        argv = _exported_command_line() or argv
    program = Path(argv[0]).name  # not where it is installed
    return ["jsonbreak" if program in _PROGRAMS else program, *without_secrets(argv[1:])]


def export_command_line() -> None:
    """Have the engines that this process starts record this command line instead of their own."""
    os.environ[_EXPORTED] = json.dumps(sys.argv)


def without_secrets(arguments: Sequence[str]) -> list[str]:
    """With *** for the values of options such as --api-key, and for users and passwords in addresses."""
    shown, is_secret = [], False
    for argument in arguments:
        option, equals, _ = argument.partition("=")
        if is_secret:
            shown.append(HIDDEN)
        elif equals and _SECRET.fullmatch(option):
            shown.append(f"{option}={HIDDEN}")
        else:
            shown.append(_USER_OF_URL.sub(HIDDEN, argument))
        is_secret = not is_secret and _SECRET.fullmatch(argument) is not None
    return shown


def _exported_command_line() -> list[str] | None:
    try:
        typed = json.loads(os.environ[_EXPORTED])
    except (KeyError, ValueError):
        return None
    return typed if isinstance(typed, list) and typed and all(isinstance(each, str) for each in typed) else None
