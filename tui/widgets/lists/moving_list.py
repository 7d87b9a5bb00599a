"""A list of options with the same keys as all other views."""

from __future__ import annotations

from textual.widgets import OptionList

from tui import keys
from tui.messages import Direction


class MovingList(OptionList, inherit_bindings=False):
    """Has no key for enter: that is the screen's."""

    BINDINGS = keys.MOVE

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)

    def move(self, direction: Direction) -> None:
        """Move the cursor."""
        match direction:
            case "up":
                self.action_cursor_up()
            case "down":
                self.action_cursor_down()
            case "page_up":
                self.action_page_up()  # type: ignore[no-untyped-call]  # Textual leaves it untyped
            case "page_down":
                self.action_page_down()  # type: ignore[no-untyped-call]  # Textual leaves it untyped

    def action_up(self) -> None:
        """One option up."""
        self.action_cursor_up()

    def action_down(self) -> None:
        """One option down."""
        self.action_cursor_down()
