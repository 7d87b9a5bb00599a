"""`python -m tui [PATH]`: the terminal interface."""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.options import interface_options
from engine.errors import BadInputError
from engine.worker.options import DecodingOptions, EngineOptions

if TYPE_CHECKING:
    from tui.app import JsonbreakApp
    from tui.settings import Settings


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", default="suites", type=click.Path(path_type=Path))
@interface_options
def main(path: Path, options: EngineOptions, decoding: DecodingOptions) -> None:
    """Show the suites under PATH and run them."""
    sys.exit(open_app(path, options, decoding))


def open_app(path: Path, options: EngineOptions, decoding: DecodingOptions) -> int:
    """Check the options, then open the interface. Returns the exit code: 0, 1 or 2."""
    try:
        options.check(decoding.batch, decoding.grammar)
    except BadInputError as error:
        print(f"jsonbreak: {error}", file=sys.stderr)
        return 2
    if not path.exists():
        print(f"jsonbreak: {path}: there is no such file or folder; name a folder with suites.", file=sys.stderr)
        return 2
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("jsonbreak: the interface needs a terminal; `jsonbreak run SUITE` does without.", file=sys.stderr)
        return 2
    prepare_terminal()
    from tui.settings import settings_file
    from tui.state.adapters import AdapterChoice

    try:
        settings = _settings(settings_file())
        adapters = AdapterChoice.of(options.adapter_names)
    except BadInputError as error:
        print(f"jsonbreak: {error}", file=sys.stderr)
        return 2
    collect_rarely()
    from tui.app import JsonbreakApp

    options = replace(options, keep_running=settings.keep_running)
    command = [sys.executable, "-m", "engine", *options.to_argv()]
    app = JsonbreakApp(path, command, options=options, decoding=decoding, settings=settings, adapters=adapters)
    app.run()
    try:
        _print_last_run(app)
    except OSError:  # the terminal is gone; whatever Python flushes at exit must not fail either
        gone = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(gone, stream.fileno())
    return app.return_code or 0


def _settings(file: Path) -> Settings:
    """Raises BadInputError for a file that cannot be used."""
    if not file.exists():  # the first paint does not wait for what reads one
        from tui.settings import default_settings

        return default_settings()
    from tui.settings_reading import read_settings

    return read_settings(file)


def _print_last_run(app: JsonbreakApp) -> None:
    """Print the last run's folder, and that an engine still works on it."""
    runner = app.runner
    if runner is not None and runner.task is not None and runner.task.folder is not None:
        print(runner.task.folder, flush=True)
    if app.left is not None:
        words = "start jsonbreak again to follow it or to stop it"
        print(f"jsonbreak: the engine continues it (process {app.left}); {words}.", file=sys.stderr)


def prepare_terminal() -> None:
    """Set what Textual reads from the environment at its import, unless the user has set it."""
    # Streams are drawn ten times a second, see tui.screens.jobs, which makes eleven frames. A key is answered at the
    # next frame: with 15 a second one key in twenty waited for more than 0.08 s, with 60 for less than 0.05 s.
    os.environ.setdefault("TEXTUAL_FPS", "60")
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    from rich.console import Console

    if "NO_COLOR" in os.environ or Console().color_system in ("standard", None):
        os.environ.setdefault("TEXTUAL_THEME", "ansi-dark")  # the terminal's own colours instead of near misses


def collect_rarely() -> None:
    """Collect garbage less often: with 5,000 records one pass takes 0.2 s, in which no key works."""
    gc.set_threshold(20_000, 20, 100)


if __name__ == "__main__":
    main()
