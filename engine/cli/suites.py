"""Commands that look at suites: check, variations."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from engine.cli.options import default_suites
from engine.errors import BadInputError


@click.command()
@click.argument("suites", nargs=-1, type=Path)
def check(suites: tuple[Path, ...]) -> None:
    """Check that suites are well formed (default: all in suites)."""
    from engine.suites.faults import SuiteError
    from engine.suites.jobs import count_jobs
    from engine.suites.suite import find_suites, load_suite

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


@click.command()
@click.argument("suite", type=Path, required=False)
@click.option("--show", metavar="CASE", help="Print this case's input under every variation that can be applied to it.")
def variations(suite: Path | None, show: str | None) -> None:
    """List the variations of inputs; with SUITE, to how many of its cases each can be applied."""
    from engine.reports.variations import list_variations

    for line in list_variations(suite, show):
        click.echo(line)
