"""Asks for the seed and the temperature to run a job again with."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static
from typing_extensions import override

from tui import keys
from tui.text.safe import one_line
from tui.widgets.fields.quiet_input import QuietInput

_MOST_SEED = 2**32 - 1
_NUMERIC = r"[0-9.e+-]*"
_WARM = 0.7  # suggested where the suite decodes greedily: there another seed changes nothing


@dataclass(frozen=True, slots=True)
class Draw:
    """How to run a job again."""

    seed: int
    temperature: float


class RerunScreen(ModalScreen[Draw | None]):
    """Ends with None if the user closes it. temperature: the suite's."""

    BINDINGS = keys.RERUN
    AUTO_FOCUS = "#seed"

    def __init__(self, job: str, temperature: float) -> None:
        super().__init__()
        self._job, self._temperature = job, temperature

    @override
    def compose(self) -> ComposeResult:
        with Vertical(id="rerun") as box:
            box.border_title = "Run this job again"
            box.border_subtitle = "enter runs it, tab the other field, esc closes"
            yield Static(Content(one_line(self._job)), markup=False)
            yield Label("seed, a whole number", markup=False)
            yield QuietInput(str(secrets.randbelow(1_000_000)), id="seed", restrict=_NUMERIC)
            yield Label("temperature; 0 is greedy, and ignores the seed", markup=False)
            yield QuietInput(f"{self._temperature or _WARM:g}", id="temperature", restrict=_NUMERIC)
            yield Static(id="error", markup=False)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        """Close with both numbers, if they are valid."""
        try:
            seed = int(self.query_one("#seed", Input).value)
            temperature = float(self.query_one("#temperature", Input).value)
        except ValueError:
            seed, temperature = -1, -1.0
        if 0 <= seed <= _MOST_SEED and 0 <= temperature <= 100:
            self.dismiss(Draw(seed, temperature))
            return
        sentence = f"The seed is a whole number from 0 to {_MOST_SEED}, the temperature a number from 0 to 100."
        self.query_one("#error", Static).update(Content.styled(sentence, "bold $text-error"))

    def action_close(self) -> None:
        """Close it and run nothing."""
        self.dismiss(None)
