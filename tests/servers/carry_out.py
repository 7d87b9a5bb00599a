"""Runs of small suites on servers, for tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.protocol.commands import StartRun
from engine.protocol.events import Event, RunStarted
from engine.records import Record
from engine.running.control import Control
from engine.runs.store import read_records
from engine.servers.spec import RetryPolicy, ServerSpec
from engine.worker.session import Session
from tests.servers.faulty import FaultyServer

SCHEMA_TEXT = json.dumps({"name": "Alice", "age": 30})
"""What the stand-in replies where it is held to the schema of a person."""

FREE_TEXT = "There is nothing to say of that."
"""What it replies otherwise."""

HASTY = RetryPolicy(attempts=3, backoff=0.02, silence=0.4, connect=1.0)


def spec_of(server: FaultyServer, **more: Any) -> ServerSpec:
    """The server, with little patience."""
    return ServerSpec(server.url, **{"retry": HASTY, **more})


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


def is_of(body: dict[str, Any], case: int, *, constrained: bool | None = None) -> bool:
    """Whether a request is of a case, and of one arm if that is given."""
    right_arm = constrained is None or ("response_format" in body) == constrained
    return f"Person {case} " in body["messages"][-1]["content"] and right_arm
