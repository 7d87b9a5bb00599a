"""A break: one thing that is wrong with a reply, and its place in the reply's text."""

from __future__ import annotations

from dataclasses import dataclass

from engine.judging.verdict import FailureClass, Where


@dataclass(frozen=True, slots=True)
class Break:
    """A failure class, the characters it concerns, and a sentence about it."""

    failure: FailureClass
    start: int
    """An offset into the whole reply."""
    end: int
    """Exclusive."""
    sentence: str
    """Without its place and a full stop: `message` adds both."""
    pointer: str | None = None


def where(text: str, found: Break) -> Where:
    """The place of a break. Lines end at a line feed; a column counts characters."""
    line = text.count("\n", 0, found.start) + 1
    column = found.start - text.rfind("\n", 0, found.start)
    return Where(found.start, found.end, line, column, found.pointer)


def message(found: Break, place: Where) -> str:
    """The message of a verdict."""
    return f"{found.sentence} (line {place.line}, column {place.column})."
