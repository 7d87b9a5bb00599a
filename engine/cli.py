"""The command line. `jsonbreak` alone opens the interface; `python -m engine` is the same program."""

from __future__ import annotations

import runpy
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine import __version__
from engine.errors import BadInputError, EngineError
from engine.options import batch_option, decoding_options, model_options

if TYPE_CHECKING:
    from engine.events import GrammarKind

_INTERRUPTED = 130  # what shells use for a program that ctrl+c ended


class _Commands(click.Group):
    """A group whose command may be left out: `jsonbreak [PATH] [options]` is `jsonbreak open [PATH] [options]`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in {"--help", "--version", *self.commands}:
            if args and not args[0].startswith("-"):
                _refuse_missing(Path(args[0]))
            args = ["open", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Commands)
@click.version_option(__version__, prog_name="jsonbreak")
def cli() -> None:
    """Which inputs break a model's JSON when it is only prompted, and what constrained decoding gives instead.

    Without a command the interface opens on the suites of PATH (default: suites).
    """


@cli.command("open")
@click.argument("path", type=Path, required=False)
@model_options
@decoding_options
def open_(
    path: Path | None, model: str | None, device: str, dtype: str, out: Path, batch: int | None, grammar: str
) -> None:
    """Browse suites and run them in the interface."""
    path = path or default_suites()
    _refuse_missing(path)
    options = ["--device", device, "--dtype", dtype, "--out", str(out), "--grammar", grammar]
    options += ["--model", model] if model else []
    options += ["--batch", str(batch)] if batch else []
    # The interface is a program of its own, of which the engine knows nothing. It runs in this process: a second start
    # of Python would take 0.08 s.
    sys.argv = ["jsonbreak", str(path), *options]
    runpy.run_module("tui", run_name="__main__")


@cli.command()
@click.argument("suite", type=Path)
@click.option("--prompt", "prompts", multiple=True, metavar="NAME", help="Only this prompt; may be repeated.")
@click.option("--case", "cases", multiple=True, metavar="ID", help="Only this case; may be repeated.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first jobs.")
@model_options
@decoding_options
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
    resume: str | None,
    plain: bool,
) -> None:
    """Run SUITE without the interface; the run folder's path goes to stdout, all else to stderr."""
    from engine.events import StartRun
    from engine.headless import run_headless

    order = StartRun(suite, prompts, cases, limit, batch, grammar)
    if resume is not None:
        from engine.runs.reading import find_run
        from engine.runs.resuming import order_to_resume

        if prompts or cases or limit:
            raise click.UsageError("--resume takes --prompt, --case and --limit from the run; leave them out.")
        order = replace(order_to_resume(find_run(resume, out).folder), suite=suite, batch=batch)
    if not run_headless(order, model, device, dtype, out, plain):
        sys.exit(_INTERRUPTED)


@cli.command()
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
    from engine.events import StartSearch
    from engine.search.headless import search_headless

    if not search_headless(StartSearch(suite, budget, batch), model, device, dtype, out, plain):
        sys.exit(_INTERRUPTED)


@cli.command()
@click.argument("suites", nargs=-1, type=Path)
def check(suites: tuple[Path, ...]) -> None:
    """Check that suites are well formed (default: all in suites)."""
    from engine.jobs import count_jobs
    from engine.suites import SuiteError, find_suites, load_suite

    faults = 0
    files = [file for path in suites or (default_suites(),) for file in find_suites(path)]
    for file in files:
        try:
            suite = load_suite(file)
        except SuiteError as error:
            faults += 1
            click.echo(str(error), err=True)
        else:
            click.echo(f"{file}: ok, {len(suite.prompts)} prompts x {len(suite.cases)} cases, {count_jobs(suite)} jobs")
    if not files:
        raise BadInputError("There are no suites here: give a suite file, or a folder with *.toml files.")
    if faults:
        sys.exit(2)


@cli.command()
@click.argument("suite", type=Path, required=False)
@click.option("--show", metavar="CASE", help="Print this case's input under every variation that can be applied to it.")
def variations(suite: Path | None, show: str | None) -> None:
    """List the variations of inputs; with SUITE, to how many of its cases each can be applied."""
    from engine.listing import list_variations

    for line in list_variations(suite, show):
        click.echo(line)


@cli.command()
@click.argument("run", metavar="RUN")
@click.option("--html", is_flag=True, help="One self-contained HTML page instead of Markdown.")
@click.option("--out", type=Path, metavar="FILE", help="Write to this file instead of stdout; *.html means --html.")
@click.option("--runs", type=Path, default=Path("runs"), show_default=True, help="The folder with the runs.")
def report(run: str, html: bool, out: Path | None, runs: Path) -> None:
    """Write the findings of RUN: its folder, its name under runs, or last."""
    from engine.runs.report import report as report_of
    from engine.runs.report import write_report

    html = html or (out is not None and out.suffix.lower() in {".html", ".htm"})
    parts = report_of(run, runs, html=html)
    if out is not None:
        write_report(parts, out)
        click.echo(out)
        return
    sys.stdout.buffer.writelines(part.encode() for part in parts)  # UTF-8, whatever the terminal's locale is


@cli.command()
@click.argument("replies", type=Path, metavar="REPLIES.jsonl")
@click.option("--schema", type=Path, metavar="FILE", help="A JSON Schema, or a suite. Default: any JSON is accepted.")
@click.option("--out", type=Path, default=Path("-"), metavar="FILE", help="Write verdicts here. Default: stdout.")
def judge(replies: Path, schema: Path | None, out: Path) -> None:
    """Judge replies made elsewhere: rows {"id", "raw", "expected", "finish"}; - is stdin. Bad rows are left out."""
    from engine.judging.replies import judge_file, summary

    tally = judge_file(replies, schema, out, lambda sentence: click.echo(sentence, err=True))
    for line in summary(tally):
        click.echo(line, err=True)
    if tally.bad:
        sys.exit(2)


@cli.command(hidden=True)
@model_options
@click.option("--keep-running", is_flag=True, help="Finish the run that is on when the parent goes.")
@click.option("--log", type=Path, help="The file that stderr goes to, to be named in run folders.")
def worker(model: str | None, device: str, dtype: str, out: Path, keep_running: bool, log: Path | None) -> None:
    """The engine as a child process: JSON lines on stdin and stdout."""
    from engine.worker import serve

    serve(model, device, dtype, out, keep_running=keep_running, log=log)


def _refuse_missing(path: Path) -> None:
    if not path.exists():
        commands = ", ".join(name for name, command in cli.commands.items() if not command.hidden)
        raise BadInputError(f"{path}: there is no such folder or suite (nor a command; the commands are {commands}).")


def default_suites() -> Path:
    """`suites` in the current folder where there is one, else the suites that came with the program."""
    here = Path("suites")
    return here if here.is_dir() else Path(__file__).parent.parent / "suites"


def main() -> None:
    """Run the command line; an error that the user can understand is one sentence, never a traceback."""
    try:
        cli.main(prog_name="jsonbreak", standalone_mode=False)
    except click.exceptions.Exit as exit_:
        sys.exit(exit_.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(_INTERRUPTED)
    except BadInputError as error:
        click.echo(f"jsonbreak: {error}", err=True)
        sys.exit(2)
    except EngineError as error:
        click.echo(f"jsonbreak: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
