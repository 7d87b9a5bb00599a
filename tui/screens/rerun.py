"""Asks with which seed and temperature a job is to be run again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from tui import keys
from tui.text.safe import one_line
from tui.widgets.fields.quiet_input import QuietInput

_MOST_SEED = 2**32 - 1
_NUMERIC = r"[0-9.e+-]*"
_WARM = 0.7  # where the suite decodes greedily another seed would change nothing


@dataclass(frozen=True, slots=True)
class Draw:
    """What a job is run again with."""

    seed: int
    temperature: float


class RerunScreen(ModalScreen[Draw | None]):
    """None where the user leaves it. temperature: the suite's."""

    BINDINGS = keys.RERUN
    AUTO_FOCUS = "#seed"

    def __init__(self, job: str, temperature: float) -> None:
        super().__init__()
        self._job, self._temperature = job, temperature

    def compose(self) -> ComposeResult:
        """Two fields, filled in."""
        with Vertical(id="rerun") as box:
            box.border_title = "Run this job again"
            box.border_subtitle = "enter runs it, tab the other field, esc closes"
            yield Static(Content(one_line(self._job)), markup=False)
            yield Label("seed, a whole number", markup=False)
            yield QuietInput(str(secrets.randbelow(1_000_000)), id="seed", restrict=_NUMERIC)
            yield Label("temperature; 0 is greedy, and takes no notice of the seed", markup=False)
            yield QuietInput(f"{self._temperature or _WARM:g}", id="temperature", restrict=_NUMERIC)
            yield Static(id="fault", markup=False)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        """Answer with both fields, where they are numbers."""
        try:
            seed = int(self.query_one("#seed", Input).value)
            temperature = float(self.query_one("#temperature", Input).value)
        except ValueError:
            seed, temperature = -1, -1.0
        if 0 <= seed <= _MOST_SEED and 0 <= temperature <= 100:
            self.dismiss(Draw(seed, temperature))
            return
        sentence = f"The seed is a whole number from 0 to {_MOST_SEED}, the temperature a number from 0 to 100."
        self.query_one("#fault", Static).update(Content.styled(sentence, "bold $text-error"))

    def action_close(self) -> None:
        """Leave it."""
        self.dismiss(None)
