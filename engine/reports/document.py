"""What a report consists of, before it is Markdown or HTML: sections of lines, tables, texts and jobs.

A `str` in a line is this program's own text. Everything from a model, a suite or a file is `Quoted`: the templates
show it as code, with nothing in it interpreted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from engine.statistics import Interval


@dataclass(frozen=True, slots=True)
class Quoted:
    """Text that is not this program's own."""

    text: str
    prose: bool = False
    """A sentence, which HTML shows as one. Markdown shows it as code: nothing else is safe there."""


Line: TypeAlias = tuple[str | Quoted, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One line of running text."""

    kind: ClassVar[str] = "paragraph"
    line: Line


@dataclass(frozen=True, slots=True)
class Items:
    """A list of lines."""

    kind: ClassVar[str] = "items"
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with their values."""

    kind: ClassVar[str] = "facts"
    rows: tuple[tuple[Line, Line], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table."""

    line: Line
    shade: float | None = None
    """How strong its background is, from 0 to 1; None for none."""
    good: bool = False
    """Whether a large shade is desirable, which gives it another colour."""
    point: float | None = None
    """A share to draw."""
    interval: Interval | None = None
    """The interval to draw with it."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of a row is its heading."""

    kind: ClassVar[str] = "table"
    caption: str
    head: tuple[Line, ...]
    rows: tuple[tuple[Cell, ...], ...]
    upright: bool = False
    """Whether the headings of columns are vertical, which makes them narrow."""


@dataclass(frozen=True, slots=True)
class Text:
    """A long text, folded in HTML."""

    kind: ClassVar[str] = "text"
    title: Line
    text: str
    """Not this program's own; shown literally."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text."""

    kind: Literal["text", "break", "fork", "cut"]
    """break: part of the break. fork: no text, the place where the arms fork. cut: a remark that text is left out."""
    text: str
    opens: bool = False
    """The break begins with this part."""
    closes: bool = False
    """The break ends with this part; a fork inside it divides it in two."""


@dataclass(frozen=True, slots=True)
class ReplyView:
    """One reply of a job."""

    title: str
    verdict: Line
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """A job with both replies side by side."""

    kind: ClassVar[str] = "job"
    title: Line
    why: Line
    """What it is an example of."""
    input: tuple[Piece, ...]
    expected: Quoted | None
    replies: tuple[ReplyView, ...]
    fork: Line | None
    folded: bool
    """Whether only its title is shown until it is opened."""


Block: TypeAlias = Paragraph | Items | Facts | Table | Text | Job


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report with a heading."""

    anchor: str
    title: str
    blocks: Iterable[Block]
    """May be a generator, which runs while the report is written: a long appendix is never in memory as a whole."""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report."""

    title: Line
    sections: tuple[Section, ...]


def paragraph(*line: str | Quoted) -> Paragraph:
    """A paragraph of these parts."""
    return Paragraph(line)


def cell(*line: str | Quoted) -> Cell:
    """A plain cell of these parts."""
    return Cell(line)


def comma_separated(names: Iterable[str]) -> Line:
    """Quoted names with commas between them."""
    line: list[str | Quoted] = []
    for name in names:
        line += [", ", Quoted(name)]
    return tuple(line[1:])
