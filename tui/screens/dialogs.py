"""Asks before a run is ended."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class ConfirmScreen(ModalScreen[bool]):
    """True when the user wants the run ended, false when they stay."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer(False)", "stay"),
        Binding("y,q,ctrl+c", "answer(True)", "stop"),
        Binding("left,right,tab", "app.focus_next", "other", show=False),
    ]

    def __init__(self, question: str, stop_label: str) -> None:
        super().__init__()
        self._question = question
        self._stop_label = stop_label

    def compose(self) -> ComposeResult:
        """The question and two answers; staying is the safe one and has the focus."""
        with Vertical(id="confirm"):
            yield Static(Content(self._question), markup=False)
            with Horizontal():
                yield Button(Content("Stay (esc)"), id="stay", compact=True)
                yield Button(Content(f"{self._stop_label} (y)"), id="stop", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer with the button."""
        self.dismiss(event.button.id == "stop")

    def action_answer(self, stop: bool) -> None:
        """Answer with a key."""
        self.dismiss(stop)
