"""The text of one arm's reply: follows it while it streams, scrolls with the other arm's once both are finished."""

from __future__ import annotations

from typing_extensions import override

from tui.widgets.views.text_view import JobText


class StreamView(JobText):
    """Follows a growing text by half pages, since every scroll redraws the whole pane; stops when scrolled up."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._streaming = False
        self._following = False
        self._moving = False  # scrolling by the program, not by the reader
        self._partner: StreamView | None = None

    @property
    def below(self) -> int:
        """How many lines of the text are below the window."""
        return max(0, len(self._rows) - self.scroll_offset.y - self.size.height) if self.size.height else 0

    def stream(self, streaming: bool) -> None:
        """Set whether the text is still growing: then its end stays in view until the reader scrolls up."""
        if streaming != self._streaming:
            self._streaming = self._following = streaming
            self._rows_changed()

    def scroll_with(self, partner: StreamView | None) -> None:
        """Show the same rows as another view, both as long as the longer one; None to scroll alone."""
        if partner is not self._partner:
            self._partner = partner
            self._rows_changed()

    @override
    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        # Scrolling up stops following the text, scrolling to the end resumes it. The partner scrolls along.
        super().watch_scroll_y(old_value, new_value)
        if self._moving:
            return
        if self._streaming:
            # A window that grows moves the position too, but to the end, which must not stop the following.
            self._following = new_value >= self.max_scroll_y
        if self._partner is not None:
            self._partner.move_to(new_value)

    def move_to(self, y: float) -> None:
        """Scroll at once, without the partner."""
        self._moving = True
        try:
            self.scroll_to(y=y, animate=False, immediate=True, force=True)
        finally:
            self._moving = False

    @override
    def _return_to(self, anchor: int) -> None:
        # While the end is followed, or the partner scrolls to a break, that decides what is in view.
        led = self._partner is not None and self._partner._wanted is not None
        if not self._following and not led:
            super()._return_to(anchor)

    @override
    def _rows_changed(self) -> None:
        self._update_length()
        if self._partner is not None:
            self._partner._update_length()

    def _update_length(self) -> None:
        """Set the length of the scroll bar, and keep the end in view while it is followed."""
        height = self.size.height
        rows = len(self._rows)
        if self._partner is not None:
            rows = max(rows, len(self._partner._rows))
        self._moving = True
        try:
            if self._following and 0 < height < rows:
                half = max(1, height // 2)
                rows = -(-rows // half) * half  # grown by half pages, so that layout and scrolling are rare
                self.grow_to(rows)
                self.scroll_to(y=rows - height, animate=False)
            else:
                self.grow_to(rows)
        finally:
            self._moving = False
