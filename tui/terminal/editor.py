"""Edits text in $EDITOR while the app is suspended; the event loop keeps running meanwhile."""

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

_KEY_SIGNALS = (signal.SIGINT, signal.SIGQUIT)


async def edit_externally(app: App[Any], text: bytes, name: str) -> bytes:
    """Edit a text with $VISUAL, $EDITOR or vi, in a file of this name, and return the result.

    Raises BadInputError if it could not be edited. Cancelling terminates the editor.
    """
    command = _command()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(text)
        problem = await _run(app, [*command, str(file)])
        if problem is not None:
            raise BadInputError(f"{command[0]} {problem}")
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
    """Run a command on the terminal. Returns the problem, if there was one, as the end of a sentence.

    Nothing may be raised while the app is suspended: Textual would not take the terminal back.
    """
    problem = None
    try:
        with app.batch_update(), _key_signals_ignored(), app.suspend():
            try:
                process = await asyncio.create_subprocess_exec(*command)
            except OSError as error:
                problem = f"cannot be started: {error.strerror}. Set EDITOR to another, or edit it here."
            else:
                problem = await _end_of(process)
    except SuspendNotSupported:
        problem = "cannot have this terminal: edit it here."
    app.refresh(layout=True)
    return problem


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
def _key_signals_ignored() -> Iterator[None]:
    """Leave the signals that keys send to the editor. By a handler: the editor would inherit SIG_IGN."""
    former = {number: signal.signal(number, lambda *_: None) for number in _KEY_SIGNALS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
