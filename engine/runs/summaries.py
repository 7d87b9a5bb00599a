"""Reads what lists need of each record of a run, fast and in batches: a run of 100,000 in a second or two."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from engine.judging.verdict import FailureClass
from engine.protocol.events import JobInfo
from engine.runs.job_facts import JobFacts, ReplyFacts, reply_facts
from engine.runs.record_lines import RecordLines
from engine.runs.store import RECORDS
from engine.text import plural

Summary: TypeAlias = tuple[JobInfo, JobFacts]

BATCH = 2_000  # records: about 25 ms of work
FIRST_BATCH = 200  # so that there is something to show immediately


class _Verdict(Struct, gc=False):
    strict: bool
    unwrapped: bool
    schema: bool
    values: bool | None
    classes: tuple[FailureClass, ...]


class _Reply(Struct, gc=False):
    verdict: _Verdict | None


class _Line(Struct, gc=False):
    """The parts of a record that are kept."""

    # msgspec skips the other fields without building anything for them, which pydantic cannot: texts, messages and
    # tokens are nine tenths of a record.
    id: str
    prompt: str
    case: str
    variation: str | None
    repeat: int
    input: str
    free: _Reply
    constrained: _Reply
    agree: bool | None = None
    tags: tuple[str, ...] = ()


_LINE = Decoder(_Line)
_shared_tags = lru_cache(maxsize=4096)(lambda tags: tags)


class SummaryReader:
    """The job, verdicts and place in the file of each record. What was expected is left out: the record has it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / RECORDS
        self._lines = RecordLines(self._file, _LINE.decode, (MsgspecError, RecursionError))

    @property
    def torn(self) -> bool:
        """Whether the last line is incomplete: a crash cut it off, or it is being written."""
        return self._lines.torn

    @property
    def unreadable(self) -> list[int]:
        """The numbers of the lines that are not records, from 1."""
        return self._lines.unreadable

    @property
    def grown(self) -> bool:
        """Whether the file has more than was read. Raises OSError if that is not known."""
        try:
            return self._file.stat().st_size > self._lines.place
        except FileNotFoundError:  # the engine has not created it yet
            return False

    def batches(self) -> Iterator[list[Summary]]:
        """Everything up to the end of the file, from where the last call stopped. Raises OSError."""
        if not self.grown:
            return
        size = FIRST_BATCH if self._lines.place == 0 else BATCH
        lines = self._lines.read()
        while batch := _summaries(lines, size):
            yield batch
            size = BATCH


def describe_losses(reader: SummaryReader) -> list[str]:
    """What could not be read of a run, a sentence each."""
    losses = []
    if reader.unreadable:
        lines = plural(len(reader.unreadable), "line")
        losses.append(
            f"{lines} of {RECORDS} cannot be read and count nowhere, the first is line {reader.unreadable[0]}."
        )
    if reader.torn:
        losses.append(f"The last line of {RECORDS} was cut off, as a crash leaves it: that job counts nowhere.")
    return losses


@contextmanager
def without_collector() -> Iterator[None]:
    """For creating many objects that stay: a quarter of the time would go into searching them for garbage."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _summaries(lines: Iterator[tuple[int, _Line]], size: int) -> list[Summary]:
    with without_collector():
        return [_summary(line, place) for place, line in islice(lines, size)]


def _summary(line: _Line, place: int) -> Summary:
    variation, tags = line.variation, _shared_tags(line.tags)
    info = JobInfo(line.id, line.prompt, line.case, variation, line.repeat, line.input, None, tags)
    return info, JobFacts(_facts(line.free.verdict), _facts(line.constrained.verdict), line.agree, place)


def _facts(verdict: _Verdict | None) -> ReplyFacts | None:
    if verdict is None:
        return None
    return reply_facts(verdict.strict, verdict.unwrapped, verdict.schema, verdict.values, verdict.classes)
