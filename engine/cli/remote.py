"""Commands for an engine on another machine: engine at that end, and the hidden bridge at this one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.options import KEEP_RUNNING, MODEL, engine_options
from engine.errors import BadInputError

if TYPE_CHECKING:
    from engine.worker.options import EngineOptions


@click.command()
@engine_options(*MODEL, KEEP_RUNNING)
def engine(options: EngineOptions) -> None:
    """The engine for an interface elsewhere: jsonbreak --engine "ssh HOST jsonbreak engine" starts it."""
    from engine.worker.serve import serve

    serve(options, greet=True)


@click.command(hidden=True)
@click.option("--command", required=True, help="The command that leads to an engine.")
@click.option("--out", type=Path, default=Path("runs"), help="Keep the runs here too.")
@KEEP_RUNNING
@click.option("--log", type=Path, help="The file that stderr goes to, to be named in run folders.")
def bridge(command: str, out: Path, keep_running: bool, log: Path | None) -> None:
    """Between the interface and an engine elsewhere: JSON lines on stdin and stdout."""
    from engine.remote.bridge import serve_elsewhere

    serve_elsewhere(split(command), out, keep_running=keep_running, log=log)


def split(command: str) -> list[str]:
    """The words of a command as a shell has them. Raises BadInputError where there are none."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise BadInputError(f"--engine: {command!r} is not a command ({error}).") from None
    if not words:
        raise BadInputError('--engine: name a command, such as "ssh HOST jsonbreak engine".')
    return words
