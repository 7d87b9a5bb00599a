"""Reads `records.jsonl` line by line, whatever state it is in: while it grows, torn by a crash, edited by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from engine.records import Record

RECORD: TypeAdapter[Record] = TypeAdapter(Record)
_BUFFER = 1 << 20  # bytes
_Decoded = TypeVar("_Decoded")


class RecordLines(Generic[_Decoded]):
    """The lines of a file of records, decoded. `read` continues where the last one stopped."""

    torn: bool
    """Whether the last line has no line break: a crash cut it off, or it is being written."""
    unreadable: list[int]
    """The numbers of the lines that could not be decoded, from 1."""
    place: int
    """Where the next line begins, in bytes."""

    def __init__(
        self,
        file: Path,
        decode: Callable[[bytes], _Decoded],
        errors: tuple[type[Exception], ...] = (),
        end: int | None = None,
    ) -> None:
        """errors: what makes a line unreadable; other exceptions of `decode` are raised. end: begin no line there."""
        self._file, self._decode, self._errors, self._end = file, decode, errors, end
        self.torn, self.unreadable, self.place = False, [], 0
        self._number = 0

    def read(self) -> Iterator[tuple[int, _Decoded]]:
        """Each record with its place in the file. Raises OSError if it cannot be read."""
        with self._file.open("rb", buffering=_BUFFER) as lines:
            lines.seek(self.place)
            for line in lines:
                if self._end is not None and self.place >= self._end:
                    return
                # A line without its line break is no record yet, even if its JSON is complete: resuming the run removes
                # it. If it is still being written, the next `read` gets it whole, since `place` stays at its beginning.
                self.torn = not line.endswith(b"\n")
                if self.torn:
                    return
                # Before the yield: a reader that stops there and calls `read` again must not get the line twice.
                place, self.place = self.place, self.place + len(line)
                self._number += 1
                try:
                    record = self._decode(line)
                except self._errors:
                    self.unreadable.append(self._number)
                else:
                    yield place, record
