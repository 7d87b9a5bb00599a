"""A scrolling view of prepared lines: nothing in them is wrapped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeAlias

from rich.segment import Segment
from textual.strip import Strip
from typing_extensions import override

from tui import keys
from tui.widgets.views.scrolling import ScrollingView

Line: TypeAlias = Sequence[tuple[str, str | None]]
"""Pieces of text that is safe to draw, each with the component class that styles it."""


class LineView(ScrollingView, inherit_bindings=False):
    """Draws only the lines in view."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"text--heading", "text--label", "text--differs", "text--fork", "text--ok"}
    BINDINGS = keys.ARROWS

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Line] = ()

    @property
    def text(self) -> str:
        """The whole text."""
        return "\n".join("".join(text for text, _ in line) for line in self._lines)

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Replace the lines; the scroll position stays where it can."""
        taller = len(lines) != len(self._lines)
        self._lines = lines
        self.grow_to(len(lines))
        self.refresh(layout=taller and self.styles.is_auto_height)

    def on_resize(self) -> None:
        """Fit the scroll bar to the new size."""
        self.grow_to(len(self._lines))

    @override
    def render_line(self, y: int) -> Strip:
        number, width = self.scroll_offset.y + y, self.size.width
        if number >= len(self._lines):
            return Strip.blank(width, self.base_style)
        pieces = [
            Segment(text, self.part_style(name) if name else self.base_style) for text, name in self._lines[number]
        ]
        return Strip(pieces).crop_extend(0, width, self.base_style)
