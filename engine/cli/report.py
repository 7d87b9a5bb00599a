"""Commands about the results of replies: report, judge."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--html", is_flag=True, help="One self-contained HTML page instead of Markdown.")
@click.option("--out", type=Path, metavar="FILE", help="Write to this file instead of stdout; *.html means --html.")
@click.option("--runs", type=Path, default=Path("runs"), show_default=True, help="The folder with the runs.")
def report(run: str, html: bool, out: Path | None, runs: Path) -> None:
    """Write the findings of RUN: its folder, its name under runs, or last."""
    from engine.reports.rendering import write_report
    from engine.reports.run.report import report as report_of

    html = html or (out is not None and out.suffix.lower() in {".html", ".htm"})
    parts = report_of(run, runs, html=html)
    if out is not None:
        write_report(parts, out)
        click.echo(out)
        return
    sys.stdout.buffer.writelines(part.encode() for part in parts)  # UTF-8, whatever the terminal's locale is


@click.command()
@click.argument("replies", type=Path, metavar="REPLIES.jsonl")
@click.option("--schema", type=Path, metavar="FILE", help="A JSON Schema, or a suite. Default: any JSON is accepted.")
@click.option("--out", type=Path, default=Path("-"), metavar="FILE", help="Write verdicts here. Default: stdout.")
def judge(replies: Path, schema: Path | None, out: Path) -> None:
    """Judge replies made elsewhere: rows {"id", "raw", "expected", "finish"}; - is stdin. Bad rows are left out."""
    from engine.cli.judge_file import judge_file, summary

    tally = judge_file(replies, schema, out, lambda sentence: click.echo(sentence, err=True))
    for line in summary(tally):
        click.echo(line, err=True)
    if tally.bad:
        sys.exit(2)
