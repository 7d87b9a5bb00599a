"""What all line-drawn views of the interface have in common: how the keys scroll them."""

from __future__ import annotations

from textual.geometry import Size
from textual.scroll_view import ScrollView

from tui import keys


class ScrollingView(ScrollView, can_focus=True):
    """Moves by lines and pages, at once; a page keeps a line of what was there for the eye to hold on to."""

    BINDINGS = keys.MOVE
    ALLOW_SELECT = False

    @property
    def line_cells(self) -> int:
        """How wide a line may be: the scroll bar's column is kept, so that its coming moves nothing."""
        return self.content_region.width - 1

    def grow_to(self, lines: int) -> None:
        """Tell the scroll bar how many lines there are."""
        self.virtual_size = Size(self.line_cells, lines)

    def reveal(self, line: int) -> None:
        """Bring a line into view, in the middle of the window when it was outside."""
        top, height = self.scroll_offset.y, self.size.height
        if not top <= line < top + height:
            self.scroll_to(y=max(0, line - height // 2), animate=False)

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
