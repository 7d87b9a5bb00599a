"""Runs of small suites on servers, for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.protocol.commands import StartRun
from engine.protocol.events import Event, RunStarted
from engine.records import Record
from engine.running.control import Control
from engine.runs.store import read_records
from engine.servers.spec import RetryPolicy, ServerSpec
from engine.worker.session import Session

HASTY = RetryPolicy(attempts=3, backoff=0.02, silence=0.4, connect=1.0)


def cases(count: int) -> str:
    """The [[case]] tables of this many people."""
    return "".join(f'[[case]]\nid = "c{n}"\ninput = "Person {n} is {n} years old."\n' for n in range(count))


def carry_out(
    spec: ServerSpec,
    command: StartRun,
    out: Path,
    on_event: Callable[[Event], None] = lambda event: None,
    control: Control | None = None,
) -> list[Event]:
    """The events of a run on a server."""
    events: list[Event] = []

    def emit(event: Event) -> None:
        events.append(event)
        on_event(event)

    Session(spec, out, emit).run(command, control or Control())
    return events


def folder_of(events: list[Event]) -> Path:
    """The folder of the run."""
    (started,) = (event for event in events if isinstance(event, RunStarted))
    return started.folder


def records_of(folder: Path) -> dict[str, Record]:
    """The records by case; no job has two."""
    records = list(read_records(folder))
    assert len({record.id for record in records}) == len(records)
    return {record.case: record for record in records}
