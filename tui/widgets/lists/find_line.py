"""One line over a list, in which a text to find is typed. It takes no room until it is asked for."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui import keys
from tui.text.safe import one_line
from tui.widgets.fields.quiet_input import KeysInOrder


class FindLine(Horizontal):
    """Tells of each change while somebody types; the text holds until it is cleared."""

    class Changed(Message):
        """Another text is looked for."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Closed(Message):
        """Nobody types here any more."""

    class Move(Message):
        """The list is to move while somebody types here: "up", "down", "page_up" or "page_down"."""

        def __init__(self, where: str) -> None:
            self.where = where
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="find-line")
        self.display = False

    def compose(self) -> ComposeResult:
        """The sign, the text, and how much it lets through."""
        yield Static("/", classes="find-sign", markup=False)
        yield _FindInput(classes="find-text", compact=True, select_on_focus=False)
        yield Static(classes="find-count", markup=False)

    @property
    def text(self) -> str:
        """What is looked for, "" for nothing."""
        return self.query_one(Input).value

    def edit(self) -> None:
        """Let the user type."""
        self.display = True
        self.query_one(Input).focus()

    def show(self, count: str) -> None:
        """Say how much the text lets through."""
        self.query_one(".find-count", Static).update(Content(count))

    def clear(self) -> None:
        """Look for nothing any more."""
        self.query_one(Input).value = ""
        self.close()

    def close(self) -> None:
        """The text holds; where there is none the line goes."""
        self.display = bool(self.text)
        self.post_message(self.Closed())

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        safe = one_line(event.value)  # what is pasted may hold anything
        if safe != event.value:
            event.input.value = safe
        else:
            self.post_message(self.Changed(safe))

    @on(Input.Submitted)
    def _keep(self, event: Input.Submitted) -> None:
        event.stop()
        self.close()


class _FindInput(Input, KeysInOrder):
    BINDINGS = keys.FIND

    def on_mount(self) -> None:
        """A cursor that blinks would write to the terminal for ever."""
        self.cursor_blink = False

    def action_clear(self) -> None:
        """Clear the text; close when there is none."""
        if self.value:
            self.value = ""
        else:
            self.query_ancestor(FindLine).close()

    def action_move(self, where: str) -> None:
        """Move in the list."""
        self.post_message(FindLine.Move(where))
