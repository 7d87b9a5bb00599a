"""A scrolling view of plain text, drawn line by line: wraps by cells, marks spans, and appends cheaply."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.events import Resize
from textual.strip import Strip
from typing_extensions import override

from tui import keys
from tui.text.page import Marker, Span
from tui.text.safe import visible
from tui.text.wrap import TAB, Row, wrap
from tui.widgets.views.scrolling import ScrollingView

FORK_GLYPH = "\u25b8"  # ▸, drawn where the arms part
BREAK_GLYPH = "\u00a6"  # ¦, drawn where something is missing: a break of no length has no text to mark


class TextView(ScrollingView):
    """Shows text as it is, without markup. No control character reaches the terminal."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "text--heading",
        "text--label",
        "text--mark",
        "text--shared",
        "text--fork",
        "text--special",
    }

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._text = ""
        self._spans: tuple[Span, ...] = ()
        self._markers: tuple[Marker, ...] = ()
        self._rows: list[Row] = [(0, 0)]
        self._wrapped_at = 0
        self._wanted: int | None = None  # the offset of a character to keep in view while sizes change
        self._strips: LRUCache[int, Strip] = LRUCache(512)

    @property
    def text(self) -> str:
        """The text as it is drawn."""
        return self._text

    def show(self, text: str, spans: Iterable[Span] = (), markers: Iterable[Marker] = ()) -> None:
        """Replace the text; the scroll position stays where it can."""
        self._text, self._wanted = visible(text), None
        self._markers = tuple(markers)
        self._spans = tuple(spans)
        self._wrap_all()
        self.refresh()

    def append(self, text: str) -> None:
        """Append text. Only the last row is wrapped and drawn again."""
        if not text:
            return
        self._text += visible(text)
        last = len(self._rows) - 1
        self._rows[last:] = self._wrap_from(self._rows[last][0])
        self._strips.discard(last)
        self._rows_changed()
        self.refresh_lines(last, len(self._rows) - last)

    def decorate(self, spans: Iterable[Span], markers: Iterable[Marker]) -> None:
        """Change the spans and markers, and keep the text."""
        spans, markers = tuple(spans), tuple(markers)
        if (spans, markers) != (self._spans, self._markers):
            self._spans, self._markers = spans, markers
            self._wrap_all()
            self.refresh()

    def scroll_to_offset(self, offset: int) -> None:
        """Scroll a character into view, and keep it there until the reader scrolls away from it."""
        self._wanted = offset
        if self._wrapped_at > 0:
            self.reveal(self._row_of(offset))

    def on_resize(self, event: Resize) -> None:
        """Wrap again, and keep the text at the top of the window there."""
        if self.line_cells != self._wrapped_at:
            anchor = self._rows[min(self.scroll_offset.y, len(self._rows) - 1)][0]
            self._wrap_all()
            if self._wanted is None:
                self._return_to(anchor)
        else:
            self._rows_changed()
        if self._wanted is not None:
            self.reveal(self._row_of(self._wanted))

    @override
    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        # The wanted character is given up once the reader scrolls away from it. While the text is not wrapped to the
        # current width yet, it is the layout that scrolls, not the reader.
        super().watch_scroll_y(old_value, new_value)
        if self._wanted is not None and self.line_cells == self._wrapped_at:
            row = self._row_of(self._wanted) - round(new_value)
            self._wanted = self._wanted if 0 <= row < self.size.height else None

    def _return_to(self, anchor: int) -> None:
        """Scroll a character back to the top of the window."""
        if self.scroll_offset.y:
            self.scroll_to(y=self._row_of(anchor), animate=False)

    @override
    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    @override
    def render_line(self, y: int) -> Strip:
        row = self.scroll_offset.y + y
        width = self.size.width
        if row >= len(self._rows) or self._wrapped_at <= 0:  # before it is wrapped, a text may be one endless row
            return Strip.blank(width, self.base_style)
        strip = self._strips.get(row)
        if strip is None:
            strip = self._strips[row] = Strip(self._draw(*self._rows[row]))
        return strip.crop_extend(0, width, self.base_style)

    def _wrap_from(self, start: int) -> list[Row]:
        if not self.size.width:
            return [(start, len(self._text))]  # not visible yet
        # The last column is left for a space, a newline mark or a marker that hangs over the end of the row.
        extra = {marker.at: len(marker.glyph) for marker in self._markers}
        return wrap(self._text, self.line_cells - 1, start, extra)

    def _wrap_all(self) -> None:
        self._wrapped_at = self.line_cells
        self._rows = self._wrap_from(0)
        self._strips.clear()
        self._rows_changed()

    def _rows_changed(self) -> None:
        """Set the length of the scroll bar."""
        self.grow_to(len(self._rows))

    def _row_of(self, offset: int) -> int:
        """The row a character is on."""
        low, high = 0, len(self._rows) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self._rows[middle][0] <= offset:
                low = middle
            else:
                high = middle - 1
        return low

    def _draw(self, start: int, end: int) -> list[Segment]:
        """The segments of a row, split where a span begins or ends and where a marker is."""
        closed = end == len(self._text) or self._text[end] == "\n"  # a marker at `end` belongs to this row
        spans = [span for span in self._spans if span.start < end and start < span.end]
        edges = {start, end}
        for span in spans:
            edges.update(edge for edge in (span.start, span.end) if start < edge < end)
        edges.update(marker.at for marker in self._markers if start < marker.at < end)
        cuts = sorted(edges)
        segments: list[Segment] = []
        for left, right in pairwise(cuts):
            segments += self._markers_at(left)
            segments.append(Segment(self._text[left:right].replace("\t", TAB), self._style_at(left, spans)))
        if closed:
            segments += self._markers_at(end)
            if any(span.style == "text--mark" and span.start <= end < span.end for span in self._spans):
                segments.append(Segment("\u2424", self._style_at(end, self._spans)))  # else not visible
        return segments

    def _markers_at(self, offset: int) -> list[Segment]:
        return [Segment(marker.glyph, self.part_style(marker.style)) for marker in self._markers if marker.at == offset]

    def _style_at(self, offset: int, spans: Iterable[Span]) -> Style:
        style = self.base_style
        for span in spans:
            if span.start <= offset < span.end:
                style += self.get_component_rich_style(span.style, partial=True)
        return style


class JobText(TextView, inherit_bindings=False):
    """A text on the run screen, where the letters of vi have other meanings."""

    BINDINGS = keys.ARROWS
