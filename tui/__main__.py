"""`python -m tui [PATH]`: the terminal interface."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.options import (
    adapter_option,
    decoding_options,
    engine_option,
    model_options,
    server_arguments,
    server_options,
)

if TYPE_CHECKING:
    from engine.protocol.commands import GrammarKind
    from tui.app import JsonbreakApp


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", default="suites", type=click.Path(path_type=Path))
@model_options
@decoding_options
@adapter_option
@server_options
@engine_option
def main(
    path: Path,
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
    engine: str | None,
) -> None:
    """Show the suites under PATH and run them."""
    options = ["--device", device, "--dtype", dtype] + (["--model", model] if model else [])
    options += [f"--adapter={each}" for each in adapters]
    of_server = server_arguments(server, api_key_env, concurrency)
    if engine is None:
        command = ["worker", *options, *of_server, "--out", str(out)]
    elif (model, device, dtype, adapters, of_server) == (None, "auto", "auto", (), []):
        command = ["bridge", "--command", engine, "--out", str(out)]
    else:
        sentence = "with --engine the model's options go into its command: ssh HOST jsonbreak engine --model NAME."
        if adapters:
            sentence = "--adapter is for an engine on this machine; leave out --engine."
        print(f"jsonbreak: {sentence}", file=sys.stderr)
        sys.exit(2)
    if of_server:
        from engine.errors import BadInputError
        from engine.servers.spec import asked_server

        local = {"--device": device != "auto", "--dtype": dtype != "auto", "--batch": batch is not None}
        try:
            asked_server(server, model, api_key_env, concurrency, local | {"--grammar": grammar != "auto"})
        except BadInputError as error:
            print(f"jsonbreak: {error}", file=sys.stderr)
            sys.exit(2)
    sys.exit(open_app(path, command, batch, grammar, out, adapters, serving=server is not None))


def open_app(
    path: Path,
    engine: list[str],
    batch: int | None,
    grammar: GrammarKind,
    runs: Path,
    adapters: Sequence[str] = (),
    *,
    serving: bool = False,
) -> int:
    """Check what was asked for, then open the interface. Returns the exit code: 0, 1 or 2.

    engine: the command of `python -m engine` that takes its place, with its options. runs: the folder of the runs.
    adapters: as `--adapter` takes them; the engine is to have them too. serving: they are names on a server.
    """
    if not path.exists():
        print(f"jsonbreak: {path}: there is no such file or folder; name a folder with suites.", file=sys.stderr)
        return 2
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("jsonbreak: the interface needs a terminal; `jsonbreak run SUITE` does without.", file=sys.stderr)
        return 2
    from engine.errors import BadInputError
    from engine.models.adapter_folder import read_adapters
    from engine.servers.spec import served_adapters
    from tui.settings import read_settings, settings_file
    from tui.state.adapters import AdapterChoice

    try:
        settings = read_settings(settings_file())
        found = () if serving else read_adapters(adapters)
        names = served_adapters(adapters) if serving else [each.name if each else None for each in found]
        choice = AdapterChoice.of(names)
    except BadInputError as error:
        print(f"jsonbreak: {error}", file=sys.stderr)
        return 2
    prepare_terminal()
    collect_rarely()
    from tui.app import JsonbreakApp

    command = [sys.executable, "-m", "engine", *engine]
    command += ["--keep-running"] if settings.keep_running else []
    app = JsonbreakApp(path, command, batch=batch, grammar=grammar, runs=runs, settings=settings, adapters=choice)
    app.run()
    try:
        _say_what_stays(app)
    except OSError:  # the terminal is gone, and with it whoever would read this
        gone = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(gone, stream.fileno())
    return app.return_code or 0


def _say_what_stays(app: JsonbreakApp) -> None:
    """Where the last run is kept, and that an engine is still at it."""
    runner = app.runner
    if runner is not None and runner.work is not None and runner.work.folder is not None:
        print(runner.work.folder, flush=True)
    if app.left is not None:
        words = "start jsonbreak again to follow it or to stop it"
        print(f"jsonbreak: the engine goes on with it (process {app.left}); {words}.", file=sys.stderr)


def prepare_terminal() -> None:
    """Set what Textual reads from the environment when it is imported; what the user has set stays."""
    # What streams is drawn ten times a second, see tui.screens.run, which makes eleven frames. A key is answered at the
    # next of these: with 15 a second one key in twenty waited for more than 0.08 s, with 60 for less than 0.05 s.
    os.environ.setdefault("TEXTUAL_FPS", "60")
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    from rich.console import Console

    if "NO_COLOR" in os.environ or Console().color_system in ("standard", None):
        os.environ.setdefault("TEXTUAL_THEME", "ansi-dark")  # the terminal's own colours instead of near misses


def collect_rarely() -> None:
    """Look through all objects for garbage less often: with 5,000 records that takes 0.2 s, in which no key works."""
    gc.set_threshold(20_000, 20, 100)


if __name__ == "__main__":
    main()
