"""The values of a job's two replies next to the expected ones, as the lines of a table. Does not import Textual."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple, TypeAlias

from rich.cells import cell_len, set_cell_size

from engine.judging.fields import Field, FieldStatus, fields, value_of
from engine.judging.values import NOTHING
from engine.judging.wording import pointer
from engine.records import ARMS, Arm, Record
from tui.state.job import JobState
from tui.state.manifest_facts import PromptFacts, RunFacts
from tui.text.safe import one_line, shorten
from tui.text.wrap import wrap

FIELDS_SHOWN = 1000
CELL_LINES = 6  # of one value; the record view has all of it
_GAP = "  "
_MARK = "!! "
_POINTER_SHARE = 0.3  # of the width, at most

Piece: TypeAlias = tuple[str, str | None]
"""Text that is safe to draw, and the component class that styles it."""


class _Column(NamedTuple):
    heading: str
    status: Piece
    """The result, on the second line."""
    cell: Callable[[Field], Piece]
    """Gives the text of a field in this column."""


class _Table(NamedTuple):
    columns: list[_Column]
    fields: list[Field]
    notes: list[str]
    """Sentences below the table."""


def values_lines(job: JobState, labels: tuple[str, str], facts: RunFacts, width: int) -> list[list[Piece]]:
    """The table of a job. No line is wider than `width` cells."""
    if job.record is None:
        table = _unfinished(job)
    else:
        close = facts.prompts.get(job.info.prompt, PromptFacts()).think_close
        values = {arm: _value(job.record, arm, close) for arm in ARMS}
        named = dict(zip(ARMS, labels, strict=True))
        if job.record.expected is None:
            table = _side_by_side(job.record, values, named, facts)
        else:
            table = _against_expected(job.record, values, named, facts)
        table.notes.extend(_notes(job.record, values, named, facts))
    return [*_drawn(table, width), *_wrapped(table.notes, width)]


def _unfinished(job: JobState) -> _Table:
    """The expected values, while there are no others."""
    note = "cancelled: there are no values" if job.cancelled else "The values are compared when the job is finished."
    expected = job.info.expected
    if expected is None:
        return _Table([], [], [note])
    return _Table([_expected_column()], list(fields(expected, [expected])), [note])


def _against_expected(record: Record, values: dict[Arm, Any], named: dict[Arm, str], facts: RunFacts) -> _Table:
    arms = [arm for arm in ARMS if values[arm] is not NOTHING]
    compared = list(fields(record.expected, [values[arm] for arm in arms] or [record.expected], facts.rules))
    columns = [_expected_column()]
    for arm in ARMS:
        if arm in arms:
            columns.append(_reply_column(named[arm], compared, arms.index(arm)))
        else:
            status = "xx not decoded" if record.reply(arm).verdict is None else "!! no value"
            columns.append(_Column(named[arm], (status, "text--differs"), lambda field: ("", None)))
    return _Table(columns, compared, [])


def _side_by_side(record: Record, values: dict[Arm, Any], named: dict[Arm, str], facts: RunFacts) -> _Table:
    """Nothing was expected: the second reply next to the first."""
    arms = [arm for arm in ARMS if values[arm] is not NOTHING]
    if not arms:
        return _Table([], [], [])
    first, others = arms[0], arms[1:]
    compared = list(fields(values[first], [values[arm] for arm in others] or [values[first]], facts.rules))
    columns = [_Column(named[first], ("", None), lambda field: (_format_value(field.expected), None))]
    columns += [_reply_column(named[arm], compared, number) for number, arm in enumerate(others)]
    return _Table(columns, compared, ["Nothing was expected of this case: only its schema counts."])


def _expected_column() -> _Column:
    return _Column("expected", ("", None), lambda field: (_format_value(field.expected), None))


def _reply_column(label: str, compared: Sequence[Field], number: int) -> _Column:
    """The column of a reply, with its differing fields marked."""

    def cell(field: Field) -> Piece:
        has = field.cells[number]
        if has.status is FieldStatus.MISSING:
            return f"{_MARK}(nothing)", "text--differs"
        if has.status.differs:
            return _MARK + _format_value(has.value), "text--differs"
        blank = " " * len(_MARK)
        if has.status is FieldStatus.IGNORED:
            return f"{blank}{_format_value(has.value)} (not compared)", "text--label"
        return blank + _format_value(has.value), None

    count = sum(field.cells[number].status.differs for field in compared)
    status = (
        (f"{_MARK}{count} {'differs' if count == 1 else 'differ'}", "text--differs") if count else ("ok", "text--ok")
    )
    return _Column(label, status, cell)


def _notes(record: Record, values: dict[Arm, Any], named: dict[Arm, str], facts: RunFacts) -> Iterator[str]:
    for arm in ARMS:
        reply = record.reply(arm)
        if values[arm] is NOTHING:
            reason = reply.verdict.message if reply.verdict is not None else reply.error or "It was not decoded."
            yield f"{named[arm]}: {one_line(reason)}"
    if record.agree is not None:
        yield f"The two replies {'agree' if record.agree else 'do not agree'} on the values."
    if facts.problem is not None:
        yield f"{one_line(facts.problem)} So values are compared without the rules of the suite."


def _value(record: Record, arm: Arm, think_close: str | None) -> Any:
    reply = record.reply(arm)
    return NOTHING if reply.finish == "error" else value_of(reply.text, reply.finish, think_close)


def _format_value(value: Any) -> str:
    return "" if value is NOTHING else one_line(json.dumps(value, ensure_ascii=False))


def _pointer(field: Field) -> str:
    if field.unordered:
        return f"{one_line(pointer(field.path[:-1]))}/*"  # its number means nothing
    return one_line(pointer(field.path)) or "(whole)"


def _drawn(table: _Table, width: int) -> Iterator[list[Piece]]:
    """The table in columns; a text too long for its column continues below."""
    if not table.columns:
        return
    shown = table.fields[:FIELDS_SHOWN]
    longest = max((cell_len(_pointer(field)) for field in shown), default=0)
    first = max(5, min(longest, int(width * _POINTER_SHARE)))
    each = max(4, (width - first) // len(table.columns) - len(_GAP))
    widths = [first, *[each] * len(table.columns)]
    yield _row([("field", "text--label"), *((column.heading, "text--heading") for column in table.columns)], widths)
    if any(column.status[0] for column in table.columns):
        yield _row([("", None), *(column.status for column in table.columns)], widths)
    for field in shown:
        cells = [(_pointer(field), None), *(column.cell(field) for column in table.columns)]
        rows = [_folded(text, cells) for (text, _), cells in zip(cells, widths, strict=True)]
        for texts in zip_longest(*rows, fillvalue=""):
            yield _row([(text, style) for text, (_, style) in zip(texts, cells, strict=True)], widths)
    if len(table.fields) > len(shown):
        yield [(f"… {len(table.fields) - len(shown)} more fields; j shows the record with all of them", "text--label")]


def _row(cells: Sequence[Piece], widths: Sequence[int]) -> list[Piece]:
    pieces: list[Piece] = []
    for (text, style), width in zip(cells, widths, strict=True):
        pieces += [(set_cell_size(shorten(text, width), width), style), (_GAP, None)]
    return pieces[:-1]


def _folded(text: str, width: int) -> list[str]:
    """A text in lines of a column, indented as if by a mark; at most CELL_LINES of them."""
    indent = len(_MARK) if text.startswith((_MARK, " " * len(_MARK))) else 0
    start, body = text[:indent], text[indent:]
    body = body[: 4 * width * CELL_LINES]  # see `shorten`
    lines = [body[left:right].rstrip() for left, right in wrap(body, width - indent)]
    if len(lines) > CELL_LINES:
        lines = [*lines[: CELL_LINES - 1], f"{lines[CELL_LINES - 1][: max(0, width - indent - 1)]}…"]
    return [(start if number == 0 else " " * indent) + line for number, line in enumerate(lines)]


def _wrapped(notes: Sequence[str], width: int) -> Iterator[list[Piece]]:
    for number, note in enumerate(notes):
        if number == 0:
            yield []
        for left, right in wrap(note, width):
            yield [(note[left:right], "text--label")]
