"""Asks what is to become of a run that an engine still works on, left there by an interface that has gone."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from engine.runs.listing import ListedRun
from tui.pages.run_list import format_jobs, format_model
from tui.text.safe import one_line

Answer: TypeAlias = Literal["follow", "stop", "leave"]


class OfferScreen(ModalScreen[Answer]):
    """To follow it, to stop it, or to leave it alone, which escape does too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "answer('follow')", "follow"),
        Binding("x", "answer('stop')", "stop"),
        Binding("l,escape,ctrl+c", "answer('leave')", "leave"),
        Binding("left,shift+tab", "app.focus_previous", "other", show=False),
        Binding("right,tab", "app.focus_next", "other", show=False),
    ]
    AUTO_FOCUS = "#follow"

    def __init__(self, run: ListedRun, others: int) -> None:
        super().__init__()
        self._run = run
        self._others = others

    def compose(self) -> ComposeResult:
        """What goes on, and three answers."""
        with Vertical(id="confirm"):
            yield Static(Content(offer_words(self._run, self._others)), markup=False)
            with Horizontal():
                yield Button(Content("Follow it (f)"), id="follow", compact=True)
                yield Button(Content("Stop it (x)"), id="stop", compact=True)
                yield Button(Content("Leave it (esc)"), id="leave", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer with the button."""
        self.action_answer(event.button.id or "leave")

    def action_answer(self, answer: str) -> None:
        """Answer with a key."""
        self.dismiss("follow" if answer == "follow" else "stop" if answer == "stop" else "leave")


def offer_words(run: ListedRun, others: int) -> str:
    """What goes on. others: how many more runs do."""
    began = f", begun {run.started:%Y-%m-%d %H:%M} UTC" if run.started else ""
    words = (
        f"An engine is at work on {one_line(run.suite or run.folder.name)} with {one_line(format_model(run))}: "
        f"{format_jobs(run)} jobs are done{began}. What is finished stays on disk, whatever you choose."
    )
    more = f"\n\n{others} more run{'s are' if others > 1 else ' is'} on; o lists them." if others else ""
    return words + more
