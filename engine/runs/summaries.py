"""Reads what lists need of each record of a run, fast and in batches: a run of 100,000 in a second or two."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, TypeAlias

from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from engine.judging.verdict import FailureClass
from engine.protocol.events import JobInfo
from engine.runs.job_facts import JobFacts, ReplyFacts, reply_facts
from engine.runs.store import RECORDS
from engine.text import plural

Summary: TypeAlias = tuple[JobInfo, JobFacts]

BATCH = 2_000  # records: some 25 ms of work
FIRST_BATCH = 200  # so that there is something to look at immediately
_BUFFER = 1 << 20  # bytes


class _Verdict(Struct, gc=False):
    strict: bool
    unwrapped: bool
    schema: bool
    values: bool | None
    classes: tuple[FailureClass, ...]


class _Reply(Struct, gc=False):
    verdict: _Verdict | None


class _Line(Struct, gc=False):
    """The parts of a record that are kept; msgspec passes over the others without building anything of them."""

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
_same = lru_cache(maxsize=4096)(lambda tags: tags)


class SummaryReader:
    """The records of a run, from first to last. When its file has grown, `batches` goes on where it stopped.

    Of each there is the job and what came of it, with its place in the file; what was expected is left to the record.
    torn: the last line is not whole, as a crash leaves it, or it is being written. unreadable: the numbers of the lines
    that are not records, from 1.
    """

    def __init__(self, folder: Path) -> None:
        self.unreadable: list[int] = []
        self.torn = False
        self._file = folder / RECORDS
        self._place = 0
        self._lines = 0

    @property
    def grown(self) -> bool:
        """Whether there is more in the file than was read. Raises OSError where one cannot tell."""
        try:
            return self._file.stat().st_size > self._place
        except FileNotFoundError:  # the engine has not come so far
            return False

    def batches(self) -> Iterator[list[Summary]]:
        """All there is from here to the end of the file. Raises OSError where it cannot be read."""
        if not self.grown:
            return
        with self._file.open("rb", buffering=_BUFFER) as file:
            file.seek(self._place)
            size = FIRST_BATCH if self._place == 0 else BATCH
            while batch := self._batch(file, size):
                yield batch
                size = BATCH

    def _batch(self, file: BinaryIO, size: int) -> list[Summary]:
        """The next so many; none at the end of the file."""
        found: list[Summary] = []
        with without_collector():
            for line in file:
                self.torn = not line.endswith(b"\n")
                if self.torn:
                    break
                self._lines += 1
                try:
                    found.append(_summary(_LINE.decode(line), self._place))
                except (MsgspecError, RecursionError):
                    self.unreadable.append(self._lines)
                self._place += len(line)
                if len(found) == size:
                    break
        return found


def lost_words(reader: SummaryReader) -> list[str]:
    """What could not be read of a run, a sentence each."""
    words = []
    if reader.unreadable:
        lines = plural(len(reader.unreadable), "line")
        words.append(
            f"{lines} of {RECORDS} cannot be read and count nowhere, the first is line {reader.unreadable[0]}."
        )
    if reader.torn:
        words.append(f"The last line of {RECORDS} was cut off, as a crash leaves it: that job counts nowhere.")
    return words


def _summary(line: _Line, place: int) -> Summary:
    variation, tags = line.variation, _same(line.tags)
    info = JobInfo(line.id, line.prompt, line.case, variation, line.repeat, line.input, None, tags)
    return info, JobFacts(_facts(line.free.verdict), _facts(line.constrained.verdict), line.agree, place)


def _facts(verdict: _Verdict | None) -> ReplyFacts | None:
    if verdict is None:
        return None
    return reply_facts(verdict.strict, verdict.unwrapped, verdict.schema, verdict.values, verdict.classes)


@contextmanager
def without_collector() -> Iterator[None]:
    """For making many objects that stay: a quarter of the time would go into looking for garbage among them."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
