"""A text edited in the user's editor, which has the terminal for so long; the program goes on meanwhile."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from engine.errors import BadInputError

_FROM_KEYS = (signal.SIGINT, signal.SIGQUIT)


async def edited_outside(app: App[Any], text: bytes, name: str) -> bytes:
    """What $VISUAL, $EDITOR or vi made of a text, in a file of this name.

    Raises BadInputError: nothing was edited then. Cancelled, it ends the editor.
    """
    command = _command()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(text)
        fault = await _run(app, [*command, str(file)])
        if fault is not None:
            raise BadInputError(f"{command[0]} {fault}")
        try:
            return file.read_bytes()
        except OSError as error:
            raise BadInputError(f"{command[0]} left no file: {error.strerror}. The text is as it was.") from error


def _command() -> list[str]:
    variable = "VISUAL" if os.environ.get("VISUAL") else "EDITOR"
    try:
        return shlex.split(os.environ.get(variable, "")) or ["vi"]
    except ValueError as error:
        raise BadInputError(f"{variable} is not a command line: {error}. Set it to the name of an editor.") from error


async def _run(app: App[Any], command: list[str]) -> str | None:
    """Run a command on the terminal; what is to be said of it, if it did not end well.

    Nothing may be raised while the app is suspended: Textual does not take the terminal back then.
    """
    fault = None
    try:
        with app.batch_update(), _deaf_to_keys(), app.suspend():
            try:
                process = await asyncio.create_subprocess_exec(*command)
            except OSError as error:
                fault = f"cannot be started: {error.strerror}. Set EDITOR to another, or edit it here."
            else:
                fault = await _end_of(process)
    except SuspendNotSupported:
        fault = "cannot have this terminal: edit it here."
    app.refresh(layout=True)
    return fault


async def _end_of(process: asyncio.subprocess.Process) -> str | None:
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
    if not code:
        return None
    ended = f"with exit code {code}" if code > 0 else f"by signal {-code}"
    return f"ended {ended}: what it wrote was not taken over."


@contextmanager
def _deaf_to_keys() -> Iterator[None]:
    """What a key sends to all programs of the terminal is the editor's. A handler, since it would inherit SIG_IGN."""
    former = {number: signal.signal(number, lambda *_: None) for number in _FROM_KEYS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
