"""`python -m tests.bench.interface`: what the interface costs and how fast it is, measured from outside, as Markdown.

The real program runs in a pseudo-terminal. Takes some five minutes. Other work on the machine makes times longer.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from tests.bench import tables
from tests.bench.interface import answers, opening, starting, traffic
from tests.bench.interface.figures import Figure, table

PARTS: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "streaming": traffic.streaming,
    "idle": traffic.idle,
    "busy": answers.busy,
    "slow": answers.slow,
    "starting": starting.starting,
    "opening": opening.opening,
}


@click.command(help=__doc__)
@click.option("--part", "parts", multiple=True, type=click.Choice(list(PARTS)), help="These parts alone.")
def main(parts: tuple[str, ...]) -> None:
    """Measure and print. Exit code 1 where a goal is missed."""
    figures: list[Figure] = []
    for name in parts or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            for figure in PARTS[name](Path(folder)):
                click.echo(f"{figure.what}: {figure.value:.3g} {figure.unit}", err=True)
                figures.append(figure)
    click.echo(f"Measured {tables.machine()}.\n")
    if warning := tables.load():
        click.echo(f"{warning}\n")
    click.echo(table(figures))
    sys.exit(any(figure.met is False for figure in figures))


if __name__ == "__main__":
    main()
