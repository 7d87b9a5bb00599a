"""Reads a run while an engine writes it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from engine.runs.owner import owner_of
from engine.runs.reading import RunFolder
from engine.runs.summaries import Summary, SummaryReader

POLL_SECONDS = 0.25


def follow(folder: Path, reader: SummaryReader, poll_seconds: float = POLL_SECONDS) -> Iterator[list[Summary]]:
    """The records of a run as they are written, until the run has ended or its engine is gone.

    Yields an empty batch after each poll, so that the caller can update or stop. It sleeps: call it in a thread.
    Raises OSError if the records cannot be read.
    """
    while True:
        # Before reading: what an engine wrote before it ended is then read in this round, which is the last one.
        active = is_active(folder)
        if reader.grown:
            yield from reader.batches()
        if not active:
            return
        yield []
        time.sleep(poll_seconds)


def is_active(folder: Path) -> bool:
    """Whether a run has not ended and an engine works on it."""
    return owner_of(folder) is not None and RunFolder(folder).manifest.ended is None
