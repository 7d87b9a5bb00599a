"""Commands about past runs: runs, show."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

_folder = click.option("--runs", "folder", type=Path, default=Path("runs"), show_default=True, help="Where runs are.")
_as_json = click.option("--json", "as_json", is_flag=True, help="JSON for other tools instead of text.")
_COLUMNS = 80


@click.command()
@_folder
@_as_json
def runs(folder: Path, as_json: bool) -> None:
    """List the runs of a folder, newest first, with the rates of both arms and their 95 % intervals."""
    from engine.errors import BadInputError
    from engine.reports.run_list import as_data, as_text
    from engine.runs.listing import list_runs
    from engine.text import printable

    try:
        found = list_runs(folder)
    except OSError as error:
        raise BadInputError(f"{printable(str(folder))}: cannot be read ({error.strerror}).") from error
    if as_json:
        _print_json([as_data(run) for run in found])
    elif found:
        _write("\n".join(as_text(found)) + "\n")
    else:
        click.echo(f"{printable(str(folder))}: there are no runs here; name their folder with --runs.", err=True)


@click.command()
@click.argument("run", metavar="RUN")
@_folder
@_as_json
def show(run: str, folder: Path, as_json: bool) -> None:
    """Print what RUN was and its state: its folder, its name under runs, or last."""
    from engine.reports.run_overview import as_data, as_text, overview
    from engine.runs.reading import find_run

    found = overview(find_run(run, folder))
    if as_json:
        _print_json(as_data(found))
    else:
        _print(as_text(found))


def _print(text: RenderableType) -> None:
    """Print 80 columns wide, with or without a terminal; bold only on a terminal."""
    from io import StringIO

    from rich.console import Console

    terminal = Console()  # knows what it can do, and NO_COLOR
    console = Console(
        file=StringIO(),
        width=_COLUMNS,
        force_terminal=terminal.is_terminal,
        color_system="standard" if terminal.color_system else None,
        highlight=False,
    )
    with console.capture() as capture:
        console.print(text)
    lines = (line.rstrip() for line in capture.get().splitlines())  # rich fills columns with spaces
    _write("\n".join(lines) + "\n")


def _print_json(data: Any) -> None:
    _write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))  # whatever the terminal's locale is
    sys.stdout.flush()
