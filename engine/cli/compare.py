"""Commands that compare runs: compare."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import BadInputError

if TYPE_CHECKING:
    from engine.reports.comparison.report import Form

_HTML, _JSON = {".html", ".htm"}, {".json"}


@click.command()
@click.argument("baseline", metavar="BASELINE")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--fail-on-regression", is_flag=True, help="Exit code 1 where there is a regression.")
@click.option("--anyway", is_flag=True, help="Compare runs that were not asked the same; what differs is named.")
@click.option("--only-cases", type=Path, metavar="FILE", help="Only these cases: ids, one a line, or an export's card.")
@click.option("--json", "as_json", is_flag=True, help="JSON for other tools instead of Markdown.")
@click.option("--html", is_flag=True, help="One self-contained HTML page instead of Markdown.")
@click.option("--out", type=Path, metavar="FILE", help="Write here instead of stdout; *.html and *.json say the form.")
@click.option("--runs", "folder", type=Path, default=Path("runs"), show_default=True, help="The folder with the runs.")
def compare(
    baseline: str,
    runs: tuple[str, ...],
    fail_on_regression: bool,
    anyway: bool,
    only_cases: Path | None,
    as_json: bool,
    html: bool,
    out: Path | None,
    folder: Path,
) -> None:
    """Compare each RUN with BASELINE, job by job: its folder, its name under runs, or last.

    Several runs give a table, in the order in which they are named. A regression: an arm has
    fewer replies as asked, under one prompt or over all, the 95 % interval of the paired difference lies below zero,
    and the exact McNemar test has p below 0.05.
    """
    from engine.comparing.cases import read_cases
    from engine.comparing.comparison import compare as compare_runs
    from engine.reports.comparison.report import format_regressions, report
    from engine.reports.rendering import write_report
    from engine.runs.reading import find_run

    form = _form(as_json, html, out)
    found = [find_run(run, folder) for run in (baseline, *runs)]
    cases = read_cases(only_cases) if only_cases is not None else None
    comparison = compare_runs(found[0], found[1:], cases, anyway=anyway)
    parts = report(comparison, form)
    if out is not None:
        write_report(parts, out)
        click.echo(out)
    else:
        sys.stdout.buffer.writelines(part.encode() for part in parts)  # UTF-8, whatever the terminal's locale is
    regressions = list(format_regressions(comparison))
    if fail_on_regression and regressions:
        for words in regressions:
            click.echo(f"jsonbreak: a regression: {words}", err=True)
        sys.exit(1)


def _form(as_json: bool, html: bool, out: Path | None) -> Form:
    """The form that the options name, else the one of the file's extension."""
    if as_json and html:
        raise BadInputError("--json and --html are two forms; ask for one of them.")
    ending = out.suffix.lower() if out is not None else ""
    if as_json or (ending in _JSON and not html):
        return "json"
    return "html" if html or ending in _HTML else "markdown"
