"""`python -m tests.bench`: measure, one process after the other, and print the tables. Takes about an hour."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from tests.bench import environments, tables
from tests.bench.gpu import SHAPES
from tests.bench.people import Workload
from tests.bench.protocol import Result
from tests.bench.runner import CONTESTANTS, REFERENCE, Failed, Program, run, task_for

PARTS = ("contestants", "growth", "shares", "alone")
_GROWING_JOBS = (16, 64, 256)
_LENGTHS = (50, 500, 2000)
_FEW_SHOT = Workload(16, length=500)


@click.command(help=__doc__)
@click.option("--jobs", default=64, show_default=True, type=click.IntRange(1, 800), help="Jobs of the contestants.")
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1), help="Runs of each; the median counts.")
@click.option(
    "--with", "install", multiple=True, type=click.Choice(list(environments.INSTALLED)), help="Install it first."
)
@click.option("--only", multiple=True, type=click.Choice(list(CONTESTANTS)), help="These contestants alone.")
@click.option("--part", multiple=True, type=click.Choice(PARTS), help="These parts alone.")
@click.option("--length-jobs", default=16, show_default=True, help="Jobs of the tables over prompt lengths.")
@click.option("--gpu-shape", type=click.Choice(list(SHAPES)), help="This alone: random weights of a shape, on a GPU.")
@click.option("--markdown", is_flag=True, help="Print Markdown.")
def main(
    jobs: int,
    runs: int,
    install: tuple[str, ...],
    only: tuple[str, ...],
    part: tuple[str, ...],
    length_jobs: int,
    gpu_shape: str | None,
    markdown: bool,
) -> None:
    """Measure and print. Exit code 1 when a contestant that is installed fails."""
    bench = Bench(runs, tables.Page(markdown))
    for environment in install:
        _tell(f"installing {environment}, some minutes ...")
        environments.install(environment)
    bench.page.say(f"Measured {tables.machine()}, medians of {runs} runs, greedy, at most 96 new tokens.")
    if warning := tables.load():
        bench.page.say(warning)
    if gpu_shape:
        bench.gpu(gpu_shape)
    else:
        parts = part or PARTS
        if "contestants" in parts:
            bench.contestants(only or tuple(CONTESTANTS), jobs)
        if "growth" in parts:
            bench.growth(length_jobs)
        if "shares" in parts:
            bench.shares(jobs)
        if "alone" in parts:
            bench.alone()
    sys.exit(1 if bench.failed else 0)


class Bench:
    """The parts of the bench. `failed`: whether a process ended without a result."""

    def __init__(self, runs: int, page: tables.Page) -> None:
        self.page, self.failed = page, False
        self._runs = runs

    def contestants(self, names: tuple[str, ...], jobs: int) -> None:
        """The same jobs in every contestant."""
        results: dict[str, Result] = {}
        for name in names:
            for result in self._measure(CONTESTANTS[name].program, Workload(jobs), CONTESTANTS[name].label):
                results[name] = result
        self.page.say(f"{jobs} jobs of people-like extraction, both arms, the built-in model.")
        labels = {name: contestant.label for name, contestant in CONTESTANTS.items()}
        tables.contestants(self.page, labels, results, REFERENCE)

    def growth(self, length_jobs: int) -> None:
        """jsonbreak with more jobs, and with longer prompts."""
        self._grow("jobs", {str(jobs): Workload(jobs) for jobs in _GROWING_JOBS})
        lengths = {
            f"{length}, {'worked examples shared by all' if shared else 'a text of its own in each'}": Workload(
                length_jobs, length, shared
            )
            for shared in (True, False)
            for length in _LENGTHS
        }
        self._grow(f"prompt tokens (about), {length_jobs} jobs", lengths)

    def _grow(self, head: str, workloads: dict[str, Workload]) -> None:
        program = CONTESTANTS["jsonbreak"].program
        measured = {
            name: result
            for name, workload in workloads.items()
            for result in self._measure(program, workload, f"jsonbreak, {head} {name}")
        }
        tables.growth(self.page, head, measured, {name: workload.jobs for name, workload in workloads.items()})

    def shares(self, jobs: int) -> None:
        """Where the time goes."""
        for result in self._measure(Program("tests.bench.shares"), Workload(jobs), "profile"):
            tables.shares(self.page, result)

    def alone(self) -> None:
        """Single jobs whose arms agree."""
        for result in self._measure(Program("tests.bench.alone"), _FEW_SHOT, "single jobs"):
            tables.alone(self.page, result)

    def gpu(self, shape: str) -> None:
        """Random weights on a GPU."""
        for result in self._measure(Program("tests.bench.gpu", options={"shape": shape}), Workload(1), "gpu"):
            tables.gpu(self.page, result)

    def _measure(self, program: Program, workload: Workload, what: str) -> Iterator[Result]:
        """The result, or nothing when there is none; the reason is printed at once."""
        if environments.python_of(program.environment) is None:
            _tell(f"{what}: left out, not installed; --with {program.environment} does it")
            return
        _tell(f"{what} ...")
        try:
            result = run(program, task_for(program, workload, self._runs))
        except Failed as error:
            _tell(f"{what}: {error}")
            self.failed = True
            return
        _tell(f"{what}: " + (", ".join(f"{done.both:.2f} s" for done in result.runs) or "done"))
        yield result


def _tell(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
