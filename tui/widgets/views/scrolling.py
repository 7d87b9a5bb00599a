"""The base of the scrolling views: their keys, their styles, their length."""

from __future__ import annotations

from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from typing_extensions import override

from tui import keys


class ScrollingView(ScrollView, can_focus=True):
    """Moves by lines and pages, without animation. A page keeps one line of the last for orientation."""

    BINDINGS = keys.MOVE
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._base_style: Style | None = None
        self._part_styles: dict[str, Style] = {}

    @property
    def base_style(self) -> Style:
        """The style of the text. Cached, since Textual asks all ancestors each time, and a line has many pieces."""
        if self._base_style is None:
            self._base_style = self.rich_style
        return self._base_style

    def part_style(self, name: str) -> Style:
        """The style of a component class. Cached as above."""
        if name not in self._part_styles:
            self._part_styles[name] = self.base_style + self.get_component_rich_style(name, partial=True)
        return self._part_styles[name]

    @override
    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._base_style = None
        self._part_styles.clear()

    @property
    def line_cells(self) -> int:
        """The width of a line. The column of the scroll bar is left free, so that nothing moves when it appears."""
        return self.content_region.width - 1

    def grow_to(self, lines: int) -> None:
        """Set the number of lines."""
        size = Size(self.line_cells, lines)
        if self.show_vertical_scrollbar and lines > self.size.height and not self.styles.is_auto_height:
            # Only the bar itself moves. The ordinary setter would lay out the whole screen, and draw a second frame.
            self.set_reactive(ScrollView.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = lines
        else:
            self.virtual_size = size

    def reveal(self, line: int) -> None:
        """Scroll a line into view, to the middle of the window if it was outside."""
        top, height = self.scroll_offset.y, self.size.height
        if not top <= line < top + height:
            # Forced, since a view that has just got its lines has no scroll bar yet.
            self.scroll_to(y=max(0, line - height // 2), animate=False, force=True)

    def action_up(self) -> None:
        """One line up."""
        self.scroll_to(y=self.scroll_offset.y - 1, animate=False)

    def action_down(self) -> None:
        """One line down."""
        self.scroll_to(y=self.scroll_offset.y + 1, animate=False)

    def action_page_up(self) -> None:
        """One page up."""
        self.scroll_to(y=self.scroll_offset.y - max(1, self.size.height - 1), animate=False)

    def action_page_down(self) -> None:
        """One page down."""
        self.scroll_to(y=self.scroll_offset.y + max(1, self.size.height - 1), animate=False)

    def action_first(self) -> None:
        """To the beginning."""
        self.scroll_to(y=0, animate=False)

    def action_last(self) -> None:
        """To the end."""
        self.scroll_to(y=self.max_scroll_y, animate=False)
