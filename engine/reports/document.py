"""What a report is made of, before it is Markdown or HTML: sections of lines, tables, texts and jobs.

A `str` in a line is this program's own words. Everything that a model, a suite or a file said is `Quoted`: the
templates show it as code, with nothing in it interpreted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from engine.statistics import Interval


@dataclass(frozen=True, slots=True)
class Quoted:
    """Somebody else's words. prose: a sentence, which a page can show as one; Markdown has no safe way but code."""

    text: str
    prose: bool = False


Line: TypeAlias = tuple[str | Quoted, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    kind: ClassVar[str] = "paragraph"
    line: Line


@dataclass(frozen=True, slots=True)
class Items:
    """A list of lines."""

    kind: ClassVar[str] = "items"
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are."""

    kind: ClassVar[str] = "facts"
    rows: tuple[tuple[Line, Line], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    shade: 0 to 1, how strong its ground is, None for none. good: whether that is to be wished for.
    point, interval: a share to draw with its ends.
    """

    line: Line
    shade: float | None = None
    good: bool = False
    point: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of a row is its heading. upright: the columns' headings stand on end, to be narrow."""

    kind: ClassVar[str] = "table"
    caption: str
    head: tuple[Line, ...]
    rows: tuple[tuple[Cell, ...], ...]
    upright: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """Somebody else's text as it stands, folded away where that can be."""

    kind: ClassVar[str] = "text"
    title: Line
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text. break: where it breaks. fork: no text, the place where the arms part. cut: our own words.

    opens, closes: the break begins with this part, ends with it (a fork may stand inside it).
    """

    kind: Literal["text", "break", "fork", "cut"]
    text: str
    opens: bool = False
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """One reply of a job."""

    title: str
    said: Line
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """A job with both replies side by side. why: what it is an example of. folded: its title alone until opened."""

    kind: ClassVar[str] = "job"
    title: Line
    why: Line
    input: tuple[Piece, ...]
    expected: Quoted | None
    sides: tuple[Side, ...]
    fork: Line | None
    folded: bool


Block: TypeAlias = Paragraph | Items | Facts | Table | Text | Job


@dataclass(frozen=True, slots=True)
class Section:
    """A section. blocks: may be made while they are written, so that a long appendix is never held as a whole."""

    anchor: str
    title: str
    blocks: Iterable[Block]


@dataclass(frozen=True, slots=True)
class Document:
    """A report."""

    title: Line
    sections: tuple[Section, ...]


def paragraph(*line: str | Quoted) -> Paragraph:
    """A paragraph of these parts."""
    return Paragraph(line)


def cell(*line: str | Quoted) -> Cell:
    """A plain cell of these parts."""
    return Cell(line)


def listed(names: Iterable[str]) -> Line:
    """Somebody else's names, with commas between them."""
    line: list[str | Quoted] = []
    for name in names:
        line += [", ", Quoted(name)]
    return tuple(line[1:])
