"""Wraps text into rows by terminal cells, keeping character offsets, so that appending is cheap.

A row's end depends only on where the row starts: after an append only the last row is wrapped again.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import get_character_cell_size

TAB = "    "
Row = tuple[int, int]  # character offsets, end exclusive, the newline left out


def character_cells(character: str) -> int:
    """How many cells a character takes on the screen. A tab has a fixed width: rows have no common columns."""
    return len(TAB) if character == "\t" else get_character_cell_size(character)


def wrap(text: str, width: int, start: int = 0, extra: Mapping[int, int] | None = None) -> list[Row]:
    """The rows of `text[start:]`, at most `width` cells wide, broken after a space if there is one.

    A space that no longer fits hangs over the end of its row by one cell. extra: cells to leave free before a
    character, by its offset. There is always at least one row.
    """
    width = max(width, 2)  # a wide glyph needs two cells: narrower rows would never end
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
    """The end of the row that begins at `start`; at most `stop`, the end of its line."""
    # The common case, a row of plain ASCII, needs no measuring by character: that would be the price of every redraw.
    chunk = text[start : min(stop, start + width + 1)]
    if chunk.isascii() and "\t" not in chunk and not any(start <= at <= start + width for at in extra):
        if len(chunk) <= width:
            return stop
        if chunk[width] == " ":
            return start + width + 1
        space = chunk.rfind(" ")
        return start + (space + 1 if space >= 0 else width)
    cells = 0
    after_space = start  # where the next row would begin; `start` while there was no space
    for offset in range(start, stop):
        character = text[offset]
        cells += extra.get(offset, 0) + character_cells(character)
        if cells > width and offset > start:  # a row has at least one character, however wide
            if character == " ":
                return offset + 1
            return after_space if after_space > start else offset
        if character == " ":
            after_space = offset + 1
    return stop
