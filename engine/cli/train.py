"""Commands that lead into fine-tuning: export, tune."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.options import DEVICE, PLAIN, collect
from engine.errors import INTERRUPTED

if TYPE_CHECKING:
    from engine.training.orders import ExportOrder, TuneOrder

_SHARE = click.FloatRange(min=0, max=1, max_open=True)
_RUN = click.argument("run", metavar="RUN")
_RUNS = click.option("--runs", type=Path, default=Path("runs"), show_default=True, help="The folder with the runs.")
_SOURCE = click.option(
    "--from",
    "source",
    type=click.Choice(["expected", "constrained"]),
    help="Only expected values, or only constrained replies. Default: what is expected, else what is constrained.",
)


def _export_order(only: str | None, **values: Any) -> ExportOrder:
    from engine.training.orders import ExportOrder

    return ExportOrder(only_broken=only is not None, **values)


@click.command()
@_RUN
@collect(
    "order",
    _export_order,
    click.option("--sft", "file", type=Path, required=True, metavar="FILE", help="Write the rows here, as JSON lines."),
    _SOURCE,
    click.option("--only", type=click.Choice(["broken"]), help="Only of jobs whose free reply is broken."),
    click.option(
        "--split",
        "share",
        type=_SHARE,
        default=0.0,
        metavar="SHARE",
        help="Hold out this share of the cases for a test.",
    ),
    click.option(
        "--format",
        type=click.Choice(["messages", "prompt-completion"]),
        default="messages",
        show_default=True,
        help="How a row is written.",
    ),
)
@_RUNS
def export(run: str, order: ExportOrder, runs: Path) -> None:
    """Write the training data of RUN: its folder, its name under runs, or last. The files' names go to stdout.

    The test rows go to FILE.test.jsonl; a card next to them, as JSON and as Markdown, says where each row came from.
    Every prompt, variation and repeat of a case is on one side of the split.
    """
    from engine.runs.reading import find_run
    from engine.training.export import export_rows

    card = export_rows(find_run(run, runs), order)
    counts = card["counts"]
    duplicates = f", {counts['duplicates']} that were there already" if counts["duplicates"] else ""
    test = f", {counts['test_rows']} to test on" if order.share else ""
    click.echo(f"{counts['train_rows']} rows to train on{test}, of {counts['records']} records{duplicates}.", err=True)
    for reason, count in card["left_out"].items():
        click.echo(f"Left out: {count}, because {reason}.", err=True)
    for each in order.files:
        click.echo(each)


def _tune_order(**values: Any) -> TuneOrder:
    from engine.training.orders import TuneOrder

    return TuneOrder(**values)


@click.command()
@_RUN
@collect(
    "order",
    _tune_order,
    click.option("--out", type=Path, required=True, metavar="ADAPTER", help="Make this folder, in PEFT's format."),
    click.option("--rank", type=click.IntRange(min=1), default=8, show_default=True, help="The rank of the LoRA."),
    click.option("--epochs", type=click.IntRange(min=1), default=2, show_default=True, help="Passes over the rows."),
    click.option(
        "--lr", type=click.FloatRange(min=0, min_open=True), default=2e-3, show_default=True, help="The learning rate."
    ),
    click.option(
        "--split",
        "share",
        type=_SHARE,
        default=0.2,
        show_default=True,
        metavar="SHARE",
        help="Hold out this share of the cases.",
    ),
    _SOURCE,
    click.option("--prompt", "prompts", multiple=True, metavar="NAME", help="Only this prompt; may be repeated."),
    click.option("--model", metavar="NAME_OR_PATH", help="The run's model. Default: the built-in one."),
    DEVICE,
)
@_RUNS
@PLAIN
@click.option("--json-lines", is_flag=True, hidden=True, help="Events as lines of JSON on stdout, for the interface.")
def tune(run: str, order: TuneOrder, runs: Path, plain: bool, json_lines: bool) -> None:
    """Train a LoRA on RUN (its folder, its name under runs, or last), for a first answer; ADAPTER goes to stdout.

    A share of the cases is held out, the same as with `export --split`: ADAPTER/card.json names them for `compare`.
    Ctrl+c saves nothing.
    """
    from engine.cli.displays.tune import tune_headless, tune_in_lines
    from engine.runs.reading import find_run

    found = find_run(run, runs)
    whole = tune_in_lines(found, order) if json_lines else tune_headless(found, order, plain)
    if not whole:
        sys.exit(INTERRUPTED)
