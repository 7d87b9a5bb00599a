"""One line over a list, in which a text to find is typed. It takes no room until it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui import keys
from tui.messages import Direction, MoveRequested
from tui.text.safe import one_line
from tui.widgets.fields.quiet_input import QuietInput


class FindLine(Horizontal):
    """Posts each change as it is typed; the text applies until it is cleared."""

    BINDINGS = keys.FIND

    @dataclass
    class Changed(Message):
        """The text is another."""

        text: str

    class Closed(Message):
        """The text is kept or cleared; the focus goes back to the list."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="find-line")
        self.display = False

    def compose(self) -> ComposeResult:
        """The sign, the text, and how much it lets through."""
        yield Static("/", classes="find-sign", markup=False)
        yield QuietInput(classes="find-text", select_on_focus=False)
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
        """Keep the text; hide the line if there is none."""
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

    def action_submit(self) -> None:
        """Keep the text."""
        self.close()

    def action_clear(self) -> None:
        """Clear the text; close when there is none."""
        if self.text:
            self.query_one(Input).value = ""
        else:
            self.close()

    def action_move(self, direction: Direction) -> None:
        """Move in the list."""
        self.post_message(MoveRequested(direction))
