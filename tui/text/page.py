"""A text with headings, labels and marked parts, for a view to draw. Does not import Textual."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """A range of characters and the component class that styles it."""

    start: int
    end: int
    style: str


class Marker(NamedTuple):
    """A glyph of one cell that is drawn before a character and is not part of the text."""

    at: int
    glyph: str
    style: str


class Page:
    """A text with headings and labels, built piece by piece for a TextView."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.spans: list[Span] = []

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self._parts)

    def add(self, text: str, style: str | None = None) -> Page:
        """Append text; `style` is a component class of TextView."""
        if style:
            self.spans.append(Span(self._length, self._length + len(text), style))
        self._parts.append(text)
        self._length += len(text)
        return self

    def join(self, other: Page) -> Page:
        """Append another page."""
        self.spans += [Span(self._length + start, self._length + end, style) for start, end, style in other.spans]
        return self.add(other.text)

    def heading(self, text: str) -> Page:
        """Append a heading on a line of its own."""
        return self.add(text, "text--heading").add("\n")

    def block(self, label: str, text: str) -> Page:
        """Append a label and a text under it, indented."""
        self.add(f"{label}\n", "text--label")
        return self.add("".join(f"  {line}\n" for line in text.split("\n")))
