"""Commands that take a model: open, run, search, and the engine as a child process."""

from __future__ import annotations

import runpy
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.options import (
    adapter_option,
    batch_option,
    decoding_options,
    default_suites,
    engine_option,
    model_options,
    server_arguments,
    server_options,
)
from engine.errors import INTERRUPTED, BadInputError
from engine.runs.command_line import export_command_line

if TYPE_CHECKING:
    from engine.protocol.commands import GrammarKind


@click.command("open")
@click.argument("path", type=Path, required=False)
@model_options
@decoding_options
@adapter_option
@server_options
@engine_option
def open_(
    path: Path | None,
    model: str | None,
    device: str,
    dtype: str,
    out: Path,
    batch: int | None,
    grammar: str,
    adapters: tuple[str, ...],
    server: str | None,
    api_key_env: str | None,
    concurrency: int | None,
    engine: str | None,
) -> None:
    """Browse suites and run them in the interface."""
    path = path or default_suites()
    if not path.exists():
        raise BadInputError(f"{path}: there is no such folder or suite.")
    options = ["--device", device, "--dtype", dtype, "--out", str(out), "--grammar", grammar]
    options += ["--model", model] if model else []
    options += ["--batch", str(batch)] if batch else []
    options += ["--engine", engine] if engine else []
    options += server_arguments(server, api_key_env, concurrency)
    options += [f"--adapter={each}" for each in adapters]
    export_command_line()
    # The interface is a program of its own, of which the engine knows nothing. It runs in this process: a second start
    # of Python would take 0.08 s.
    sys.argv = ["jsonbreak", str(path), *options]
    runpy.run_module("tui", run_name="__main__")


@click.command()
@click.argument("suite", type=Path)
@click.option("--prompt", "prompts", multiple=True, metavar="NAME", help="Only this prompt; may be repeated.")
@click.option("--case", "cases", multiple=True, metavar="ID", help="Only this case; may be repeated.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first jobs.")
@model_options
@decoding_options
@adapter_option
@server_options
@click.option("--resume", metavar="RUN", help="Run what is missing of this run: its folder, name or last.")
@click.option("--plain", is_flag=True, help="Lines of text instead of a progress bar, no colour, no boxes.")
def run(
    suite: Path,
    prompts: tuple[str, ...],
    cases: tuple[str, ...],
    limit: int | None,
    model: str | None,
    device: str,
    dtype: str,
    out: Path,
    batch: int | None,
    grammar: GrammarKind,
    adapters: tuple[str, ...],
    server: str | None,
    api_key_env: str | None,
    concurrency: int | None,
    resume: str | None,
    plain: bool,
) -> None:
    """Run SUITE without the interface; the run folder's path goes to stdout, all else to stderr.

    With several adapters it is run once with each, one after another on the same model; then there are several paths.
    """
    from engine.cli.displays.run import run_headless
    from engine.models.adapter_folder import read_adapters
    from engine.protocol.commands import StartRun
    from engine.servers.spec import asked_server, served_adapters

    order = StartRun(suite, prompts, cases, limit, batch, grammar)
    if resume is not None:
        from engine.runs.reading import find_run
        from engine.runs.resuming import adapter_to_resume, order_to_resume

        if prompts or cases or limit:
            raise click.UsageError("--resume takes --prompt, --case and --limit from the run; leave them out.")
        folder = find_run(resume, out).folder
        order = replace(order_to_resume(folder), suite=suite, batch=batch)
        adapters = adapters or adapter_to_resume(folder)
        if len(adapters) > 1:
            raise click.UsageError("--resume goes on with one run; give the adapter that it was begun with.")
    local = {"--device": device != "auto", "--dtype": dtype != "auto", "--batch": batch is not None}
    spec = asked_server(server, model, api_key_env, concurrency, local | {"--grammar": grammar != "auto"})
    found = read_adapters(adapters) if spec is None else ()
    names = [each.name if each else None for each in found] if spec is None else served_adapters(adapters)
    orders = [replace(order, adapter=name) for name in names] or [order]
    if not run_headless(orders, found, model, device, dtype, out, plain, spec):
        sys.exit(INTERRUPTED)


@click.command()
@click.argument("suite", type=Path)
@click.option("--budget", type=int, default=400, show_default=True, metavar="JOBS", help="Decode at most so many jobs.")
@model_options
@batch_option
@click.option("--plain", is_flag=True, help="Lines of text instead of a live leaderboard, no colour, no boxes.")
def search(
    suite: Path, budget: int, model: str | None, device: str, dtype: str, out: Path, batch: int | None, plain: bool
) -> None:
    """Look for the best plain prompt for SUITE by composing techniques; the winner's [[prompt]] goes to stdout.

    The winner's figure comes from cases that it was not chosen on. Only the free arm is decoded.
    """
    from engine.cli.displays.search import search_headless
    from engine.protocol.commands import StartSearch

    if not search_headless(StartSearch(suite, budget, batch), model, device, dtype, out, plain):
        sys.exit(INTERRUPTED)


@click.command(hidden=True)
@model_options
@adapter_option
@server_options
@click.option("--keep-running", is_flag=True, help="Finish the run that is on when the parent goes.")
@click.option("--log", type=Path, help="The file that stderr goes to, to be named in run folders.")
def worker(
    model: str | None,
    device: str,
    dtype: str,
    out: Path,
    adapters: tuple[str, ...],
    server: str | None,
    api_key_env: str | None,
    concurrency: int | None,
    keep_running: bool,
    log: Path | None,
) -> None:
    """The engine as a child process: JSON lines on stdin and stdout."""
    from engine.models.adapter_folder import read_adapters
    from engine.servers.spec import asked_server
    from engine.worker.serve import serve

    spec = asked_server(server, model, api_key_env, concurrency, {"--device": device != "auto"})
    found = read_adapters(adapters) if spec is None else ()
    serve(model, device, dtype, out, adapters=found, keep_running=keep_running, log=log, server=spec)
