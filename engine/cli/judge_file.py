"""`jsonbreak judge`: replies made elsewhere, judged one row at a time.

A row is a JSON object on a line of its own: {"id", "raw", optional "expected", optional "finish"}; other keys are
ignored. `finish` is "stop" (the default) or "length"; an `expected` of null expects nothing, as in a record of a run.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, NoReturn, cast

from engine.errors import BadInputError, EngineError
from engine.judging.compare import Rule
from engine.judging.judge import Judge
from engine.judging.verdict import Verdict
from engine.statistics import Share, wilson_interval
from engine.text import printable, short_json

STANDARD = Path("-")  # stdin or stdout
_BOM = b"\xef\xbb\xbf"
_SHARES = ("strict", "unwrapped", "schema", "values")


@dataclass(frozen=True, slots=True)
class Row:
    """A reply to be judged."""

    id: str | int
    """Returned as it is."""
    raw: str
    expected: Any
    finish: Literal["stop", "length"]


@dataclass(slots=True)
class Tally:
    """Counts over all rows."""

    judged: int = 0
    bad: int = 0
    """Rows that could not be read."""
    ok: Share = field(default_factory=Share)
    shares: dict[str, Share] = field(default_factory=lambda: {name: Share() for name in _SHARES})
    """Of each boolean of the verdict; `values` counts only rows with something expected."""
    classes: Counter[str] = field(default_factory=Counter)
    primary: Counter[str] = field(default_factory=Counter)
    """Only the primary class of each verdict."""

    def add(self, verdict: Verdict) -> None:
        """Count one more verdict."""
        self.judged += 1
        self.ok.add(verdict.ok)
        for name, share in self.shares.items():
            held = getattr(verdict, name)
            if held is not None:
                share.add(held)
        self.classes.update(verdict.classes)
        self.primary[verdict.classes[0]] += 1


def judge_file(source: Path, schema: Path | None, out: Path, emit: Callable[[str], None]) -> Tally:
    """Judge the rows of a file and write a row for each, {"id"} and the verdict, in the same order.

    schema: a JSON Schema, or a suite whose schema and [compare] apply; None accepts any JSON value. `source` and `out`
    may be "-". emit: takes a sentence for each bad row. One row is in memory at a time, and each is written as a
    whole line before the next is read. Raises BadInputError and EngineError; BrokenPipeError when the reader is gone.
    """
    judge = Judge(*_schema_of(schema))
    name = "stdin" if source == STANDARD else source
    _refuse_overwriting(out, source, schema)
    tally = Tally()
    with _opened(source, "rb") as lines, _opened(out, "wb") as written:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = read_row(line.removeprefix(_BOM) if number == 1 else line)
            except ValueError as error:
                tally.bad += 1
                emit(printable(f"{name}, line {number}: {error}"))
                continue
            verdict = judge.judge(row.raw, row.finish, row.expected)
            tally.add(verdict)
            _write(written, _line(row, verdict), out)
    return tally


def read_row(line: bytes) -> Row:
    """The row on a line. Raises ValueError with a sentence."""
    try:
        data = json.loads(line.decode().strip(), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise ValueError(f"the byte 0x{line[error.start]:02x} is not UTF-8; save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"this is not JSON: {error.msg} at column {error.colno}; correct the row") from None
    except ValueError as error:  # NaN, or an integer of thousands of digits
        raise ValueError(f"this is not JSON that can be read: {error}; correct the row") from None
    except RecursionError:
        raise ValueError("nested too deeply to be read; only raw may hold such text, as a string") from None
    if not isinstance(data, dict):
        raise ValueError(f'a row is an object with "id" and "raw", not {short_json(data)}; correct the row')
    return _row_of(data)


def _row_of(data: Mapping[str, Any]) -> Row:
    for key in ("id", "raw"):
        if key not in data:
            raise ValueError(f'the key "{key}" is missing; each row needs "id" and "raw"')
    name, raw, finish = data["id"], data["raw"], data.get("finish")
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise ValueError(f'"id" must be a string or a whole number, not {short_json(name)}; correct it')
    if not isinstance(raw, str):
        raise ValueError(f'"raw" must be a string, the reply as the model wrote it, not {short_json(raw)}; correct it')
    if finish not in (None, "stop", "length"):
        raise ValueError(f'"finish" must be "stop" or "length", not {short_json(finish)}; correct it or leave it out')
    return Row(name, raw, data.get("expected"), finish or "stop")


def summary(tally: Tally) -> Iterator[str]:
    """The lines of the summary: counts, shares with Wilson 95 % intervals, classes by frequency."""
    yield f"judged {tally.judged:,}" + (f", left out {tally.bad:,} bad rows" if tally.bad else "")
    for name, share in {"ok": tally.ok, **tally.shares}.items():
        if share.n:
            low, high = wilson_interval(share)
            counted = f"{share.k:,}/{share.n:,}"
            yield f"  {name:<9}  {counted:>15}  {share.k / share.n:6.1%}  ({low:.1%} to {high:.1%})"
    width = max(map(len, tally.classes), default=0)
    for failure, count in tally.classes.most_common():
        primary = tally.primary[failure]
        yield f"  {failure:<{width}}  {count:>9,}" + (f"  primary in {primary:,}" if primary != count else "")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}")


def _schema_of(file: Path | None) -> tuple[dict[str, Any], Mapping[str, Rule]]:
    from engine.suites.schemas import read_schema
    from engine.suites.suite import load_suite

    if file is None:
        return {}, {}
    if file.suffix.lower() != ".toml":
        return read_schema(file), {}
    suite = load_suite(file)
    if suite.json_schema is None:
        raise BadInputError(f"{printable(str(file))}: the suite has no schema of its own; give a JSON Schema file.")
    return suite.json_schema, suite.compare


def _refuse_overwriting(out: Path, *inputs: Path | None) -> None:
    for each in inputs:
        if each is not None and out != STANDARD and each != STANDARD and out.exists() and _is_same(out, each):
            raise BadInputError(f"{printable(str(out))}: this is what is read; name another file with --out.")


def _is_same(one: Path, other: Path) -> bool:
    return other.exists() and one.samefile(other)


@contextmanager
def _opened(path: Path, mode: Literal["rb", "wb"]) -> Iterator[BinaryIO]:
    """The file, or stdin or stdout. Writing is unbuffered, so that only whole lines are written."""
    if path == STANDARD:
        yield sys.stdin.buffer if mode == "rb" else cast(BinaryIO, sys.stdout.buffer)
        return
    try:
        file = path.open(mode, buffering=-1 if mode == "rb" else 0)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        verb = "read" if mode == "rb" else "written"
        raise BadInputError(f"{printable(str(path))}: cannot be {verb} ({reason}); name another file.") from error
    with file:
        yield file


def _line(row: Row, verdict: Verdict) -> bytes:
    data = {"id": row.id, **asdict(verdict)}
    try:
        return json.dumps(data, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair in the id
        return json.dumps(data).encode() + b"\n"


def _write(stream: BinaryIO, line: bytes, out: Path) -> None:
    try:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(stream.fileno(), rest) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise EngineError(f"{printable(str(out))}: cannot be written ({error.strerror}).") from error
