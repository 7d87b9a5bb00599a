"""The text of one arm's reply: follows it while it streams."""

from __future__ import annotations

from textual.geometry import Size

from tui.widgets.text_view import TextView


class StreamView(TextView):
    """Follows a growing text by half pages, as every scroll redraws the whole pane; stops when scrolled up."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._streaming = False
        self._following = False
        self._moving = False

    @property
    def below(self) -> int:
        """How many lines are below the window."""
        return max(0, len(self._rows) - self.scroll_offset.y - self.size.height) if self.size.height else 0

    def stream(self, streaming: bool) -> None:
        """Say whether the text is still growing: then its end is kept in view until the reader scrolls up."""
        if streaming != self._streaming:
            self._streaming = self._following = streaming
            self._rows_changed()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling up stops the following, reaching the end takes it up again."""
        super().watch_scroll_y(old_value, new_value)
        if not self._moving and self._streaming:
            # A window that grows moves the position too, but to the end, which must not stop the following.
            self._following = new_value >= self.max_scroll_y

    def _return_to(self, anchor: int) -> None:
        if not self._following:
            super()._return_to(anchor)

    def _rows_changed(self) -> None:
        height = self.size.height
        rows = len(self._rows)
        self._moving = True
        try:
            if self._following and 0 < height < rows:
                half = max(1, height // 2)
                rows = -(-rows // half) * half  # grown in steps: layout and scrolling are rare
                self.virtual_size = Size(self._width, rows)
                self.scroll_to(y=rows - height, animate=False)
            else:
                self.virtual_size = Size(self._width, rows)
        finally:
            self._moving = False
