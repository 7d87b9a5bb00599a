"""Commands that take a model: open, run, search, and the engine as a child process."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.options import (
    ADAPTER,
    BATCH,
    GRAMMAR,
    KEEP_RUNNING,
    MODEL,
    PLAIN,
    SERVER,
    collect,
    default_suites,
    engine_options,
    interface_options,
)
from engine.errors import INTERRUPTED, BadInputError

if TYPE_CHECKING:
    from engine.protocol.commands import StartRun, StartSearch
    from engine.worker.options import DecodingOptions, EngineOptions


@click.command("open")
@click.argument("path", type=Path, required=False)
@interface_options
def open_(path: Path | None, options: EngineOptions, decoding: DecodingOptions) -> None:
    """Browse suites and run them in the interface."""
    from engine.runs.command_line import export_command_line

    path = path or default_suites()
    if not path.exists():
        raise BadInputError(f"{path}: there is no such folder or suite.")
    export_command_line()
    # By name, since the engine must not depend on the interface (an import contract). It runs in this process: a second
    # start of Python would take 0.08 s.
    sys.exit(importlib.import_module("tui.__main__").open_app(path, options, decoding))


def _start_run(**values: Any) -> StartRun:
    from engine.protocol.commands import StartRun  # imports pydantic, which the help does not wait for

    return StartRun(**values)


@click.command()
@collect(
    "start",
    _start_run,
    click.argument("suite", type=Path),
    click.option("--prompt", "prompts", multiple=True, metavar="NAME", help="Only this prompt; may be repeated."),
    click.option("--case", "cases", multiple=True, metavar="ID", help="Only this case; may be repeated."),
    click.option("--limit", type=click.IntRange(min=1), help="Only the first jobs."),
    BATCH,
    GRAMMAR,
)
@engine_options(*MODEL, ADAPTER, *SERVER)
@click.option("--resume", metavar="RUN", help="Run what is missing of this run: its folder, name or last.")
@PLAIN
def run(start: StartRun, options: EngineOptions, resume: str | None, plain: bool) -> None:
    """Run SUITE without the interface; the run folder's path goes to stdout, all else to stderr.

    With several adapters it is run once with each, one after another on the same model; then there are several paths.
    """
    from engine.cli.displays.run import run_headless

    batch, grammar = start.batch, start.grammar  # as they were typed
    if resume is not None:
        start, options = _resumed(resume, start, options)
    options.check(batch, grammar)
    starts = [replace(start, adapter=name) for name in options.adapter_names] or [start]
    if not run_headless(starts, options, plain):
        sys.exit(INTERRUPTED)


def _resumed(resume: str, start: StartRun, options: EngineOptions) -> tuple[StartRun, EngineOptions]:
    """The rest of a run: its own settings, and the adapter that it was started with."""
    from engine.runs.reading import find_run
    from engine.runs.resuming import resume_command, resumed_adapters

    if start.prompts or start.cases or start.limit:
        raise click.UsageError("--resume takes --prompt, --case and --limit from the run; leave them out.")
    folder = find_run(resume, options.out).folder
    options = replace(options, adapters=options.adapters or resumed_adapters(folder))
    if len(options.adapters) > 1:
        raise click.UsageError("--resume continues one run; give the adapter that it was started with.")
    return replace(resume_command(folder), suite=start.suite, batch=start.batch), options


def _start_search(**values: Any) -> StartSearch:
    from engine.protocol.commands import StartSearch

    return StartSearch(**values)


@click.command()
@collect(
    "start",
    _start_search,
    click.argument("suite", type=Path),
    click.option(
        "--budget", type=int, default=400, show_default=True, metavar="JOBS", help="Decode at most this many jobs."
    ),
    BATCH,
)
@engine_options(*MODEL)
@PLAIN
def search(start: StartSearch, options: EngineOptions, plain: bool) -> None:
    """Look for the best plain prompt for SUITE by composing techniques; the winner's [[prompt]] goes to stdout.

    The winner's figure comes from cases that it was not chosen on. Only the free arm is decoded.
    """
    from engine.cli.displays.search import search_headless

    options.check()
    if not search_headless(start, options, plain):
        sys.exit(INTERRUPTED)


@click.command(hidden=True)
@engine_options(*MODEL, ADAPTER, *SERVER, KEEP_RUNNING)
@click.option("--log", type=Path, help="The file that stderr goes to, to be named in run folders.")
def worker(options: EngineOptions, log: Path | None) -> None:
    """The engine as a child process: JSON lines on stdin and stdout."""
    from engine.worker.serve import serve

    options.check()
    serve(options, log=log)
