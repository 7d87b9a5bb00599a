"""Asks, when somebody quits while something is on, what is to become of it."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

Answer: TypeAlias = Literal["stay", "stop", "leave"]


class QuitScreen(ModalScreen[Answer]):
    """Staying is the safe answer and has the focus. can_leave: the engine goes on without the interface."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer('stay')", "stay"),
        Binding("y,q,ctrl+c", "answer('stop')", "stop"),
        Binding("l", "answer('leave')", "leave"),
        Binding("left,shift+tab", "app.focus_previous", "other", show=False),
        Binding("right,tab", "app.focus_next", "other", show=False),
    ]

    def __init__(self, noun: str, can_leave: bool) -> None:
        super().__init__()
        self._noun, self._can_leave = noun, can_leave

    def compose(self) -> ComposeResult:
        """The question and its answers."""
        question = f"A {self._noun} is on. Stop it and quit? What is finished stays on disk."
        if self._can_leave:
            question = (
                f"A {self._noun} is on. Stop it, or leave it running without this program? Nothing finished is lost."
            )
        with Vertical(id="confirm"):
            yield Static(Content(question), markup=False)
            with Horizontal():
                yield Button(Content("Stay (esc)"), id="stay", compact=True)
                yield Button(Content("Stop and quit (y)"), id="stop", compact=True)
                if self._can_leave:
                    yield Button(Content("Leave it (l)"), id="leave", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer with the button."""
        self.action_answer(event.button.id or "stay")

    def action_answer(self, answer: str) -> None:
        """Answer with a key."""
        if answer == "stop":
            self.dismiss("stop")
        elif answer == "leave" and self._can_leave:
            self.dismiss("leave")
        elif answer == "stay":
            self.dismiss("stay")
