"""Break text into rows by terminal cells, keeping character offsets, so that it can be appended to cheaply.

A row's end depends only on where the row starts: after an append only the last row is broken anew.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import get_character_cell_size

TAB = "    "
Row = tuple[int, int]  # character offsets, end exclusive, the newline left out


def character_cells(character: str) -> int:
    """How many cells a character takes on the screen; a tab has a fixed width, as columns mean nothing here."""
    return len(TAB) if character == "\t" else get_character_cell_size(character)


def wrap(text: str, width: int, start: int = 0, extra: Mapping[int, int] | None = None) -> list[Row]:
    """The rows of `text[start:]` at most `width` cells wide, broken after a space where there is one.

    A space that no longer fits stays at the end of its row, one cell outside. `extra` gives cells to leave free
    before a character, by its offset. There is always at least one row.
    """
    width = max(width, 2)  # a wide glyph needs two
    extra = extra or {}
    rows: list[Row] = []
    while True:
        newline = text.find("\n", start)
        stop = len(text) if newline < 0 else newline
        while (end := _row_end(text, start, stop, width, extra)) < stop:
            rows.append((start, end))
            start = end
        rows.append((start, stop))
        if newline < 0:
            return rows
        start = newline + 1


def _row_end(text: str, start: int, stop: int, width: int, extra: Mapping[int, int]) -> int:
    """Where the row that begins at `start` ends, not past `stop`, the end of its line."""
    chunk = text[start : min(stop, start + width + 1)]
    if chunk.isascii() and "\t" not in chunk and not any(start <= at <= start + width for at in extra):
        if len(chunk) <= width:
            return stop
        if chunk[width] == " ":
            return start + width + 1
        space = chunk.rfind(" ")
        return start + (space + 1 if space >= 0 else width)
    cells = 0
    after_space = start
    for offset in range(start, stop):
        character = text[offset]
        cells += extra.get(offset, 0) + character_cells(character)
        if cells > width and offset > start:
            if character == " ":
                return offset + 1
            return after_space if after_space > start else offset
        if character == " ":
            after_space = offset + 1
    return stop
