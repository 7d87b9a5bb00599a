"""Reads a run while an engine still writes it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from engine.runs.owner import owner_of
from engine.runs.reading import RunFolder
from engine.runs.summaries import Summary, SummaryReader

POLL_SECONDS = 0.25


def follow(folder: Path, reader: SummaryReader, poll_seconds: float = POLL_SECONDS) -> Iterator[list[Summary]]:
    """The records of a run as they come, until the run has ended or its engine has gone. A torn last line waits.

    Gives an empty batch each time it has looked and found nothing, so that who reads can take note or leave. Call it
    in a thread: it sleeps. Raises OSError where the records cannot be read.
    """
    while True:
        on = is_active(folder)  # asked first: what was written until then is read after it
        if reader.grown:
            yield from reader.batches()
        if not on:
            return
        yield []
        time.sleep(poll_seconds)


def is_active(folder: Path) -> bool:
    """Whether an engine works on a run that has not ended."""
    return owner_of(folder) is not None and RunFolder(folder).manifest.ended is None
