"""The command line. `jsonbreak` alone opens the interface; `python -m engine` is the same program."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import click

from engine import __version__
from engine.cli import compare, remote, report, run, runs, suites, train
from engine.errors import INTERRUPTED, BadInputError, EngineError


class _Commands(click.Group):
    """A group whose command is optional: `jsonbreak [PATH] [options]` is `jsonbreak open [PATH] [options]`."""

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

    Without a command the interface opens on the suites of PATH (default: suites); its options: jsonbreak open --help.
    """


for _command in (
    run.open_,
    run.run,
    run.search,
    run.worker,
    suites.check,
    suites.variations,
    report.report,
    report.judge,
    remote.engine,
    remote.bridge,
    compare.compare,
    train.export,
    train.tune,
    runs.runs,
    runs.show,
):
    cli.add_command(_command)


def _refuse_missing(path: Path) -> None:
    if not path.exists():
        commands = ", ".join(name for name, command in cli.commands.items() if not command.hidden)
        raise BadInputError(f"{path}: there is no such folder or suite (nor a command; the commands are {commands}).")


def main() -> None:
    """Run the command line. Expected errors are one sentence and an exit code, never a traceback."""
    try:
        cli.main(prog_name="jsonbreak", standalone_mode=False)
    except click.exceptions.Exit as exit_:
        sys.exit(exit_.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except BadInputError as error:
        click.echo(f"jsonbreak: {error}", err=True)
        sys.exit(2)
    except EngineError as error:
        click.echo(f"jsonbreak: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        # What asking for a path raises, wherever it is asked.
        if error.filename is None or error.errno not in (errno.ENAMETOOLONG, errno.EACCES):
            raise
        from engine.text import printable

        click.echo(f"jsonbreak: {printable(str(error.filename))}: {error.strerror}; check the name.", err=True)
        sys.exit(2)
