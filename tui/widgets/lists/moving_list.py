"""A list of options that moves by the same keys as every other view."""

from __future__ import annotations

from textual.widgets import OptionList

from tui import keys


class MovingList(OptionList, inherit_bindings=False):
    """What enter does is the screen's to say."""

    BINDINGS = keys.MOVE

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)

    def move(self, where: str) -> None:
        """Move the cursor: "up", "down", "page_up" or "page_down"."""
        getattr(self, f"action_{where}")()

    def action_up(self) -> None:
        """One option up."""
        self.action_cursor_up()

    def action_down(self) -> None:
        """One option down."""
        self.action_cursor_down()
