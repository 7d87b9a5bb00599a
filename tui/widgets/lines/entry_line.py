"""A line above a list, with a field in which a text is typed: the base of the lines that find and filter."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static
from typing_extensions import override

from tui import keys
from tui.messages import Direction, MoveRequested
from tui.text.safe import one_line
from tui.widgets.fields.quiet_input import QuietInput


class EntryLine(Horizontal):
    """A slash, the field, and a note on the right. Each key applies the text. The arrow keys move in the list."""

    BINDINGS = keys.FIND

    class Changed(Message):
        """Another text applies."""

    @dataclass
    class Closed(Message):
        """The text is kept or cleared: typing has ended."""

        left: bool = False
        """Whether the focus has already moved somewhere else."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="entry-line")
        self._note = ""
        self.display = False

    @override
    def compose(self) -> ComposeResult:
        yield Static("/", classes="entry-sign", markup=False)
        yield QuietInput(classes="entry-text", select_on_focus=False)
        yield Static(classes="entry-note", markup=False)

    @property
    def field(self) -> QuietInput:
        """The field in which the text is typed."""
        return self.query_one(QuietInput)

    def show_note(self, note: str) -> None:
        """Draw the note, if it is another."""
        if note != self._note:
            self._note = note
            self.query_one(".entry-note", Static).update(Content(note))

    def close(self) -> None:
        """End the typing and keep the text."""
        raise NotImplementedError

    def _apply(self, text: str) -> None:
        """Apply a text that was typed."""
        raise NotImplementedError

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        safe = one_line(event.value)  # pasted text may contain anything
        if safe != event.value:
            event.input.value = safe
        else:
            self._apply(safe)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.close()

    def action_submit(self) -> None:
        """Keep the text."""
        self.close()

    def action_clear(self) -> None:
        """Clear the text; close if there is none."""
        if self.field.value:
            self.field.value = ""
        else:
            self.close()

    def action_move(self, direction: Direction) -> None:
        """Move the cursor of the list."""
        self.post_message(MoveRequested(direction))
