"""Questions with two or three answers, each on a button and on a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static
from typing_extensions import override

from engine.runs.listing import ListedRun
from tui import keys
from tui.pages.run_list import format_jobs, format_model
from tui.text.safe import one_line

Answer: TypeAlias = Literal["stay", "stop", "leave", "follow"]


class ChoiceScreen(ModalScreen[Answer]):
    """Asks a question. Subclasses bind the keys to `answer('…')`.

    labels: what each possible answer is called; the first is the safe one and has the focus.
    """

    BINDINGS = keys.CHOICE

    def __init__(self, question: str, labels: Mapping[Answer, str]) -> None:
        super().__init__()
        self._question, self._labels = question, labels

    @override
    def compose(self) -> ComposeResult:
        with Vertical(id="confirm"):
            yield Static(Content(self._question), markup=False)
            with Horizontal():
                for answer, label in self._labels.items():
                    yield Button(Content(f"{label} ({self._key_of(answer)})"), name=answer, compact=True)

    def _key_of(self, answer: Answer) -> str:
        active = self.active_bindings.values()
        bindings = (each.binding for each in active if each.binding.action == f"answer('{answer}')")
        return self.app.get_key_display(next(bindings))

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "answer" or parameters[0] in self._labels

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(next(answer for answer in self._labels if answer == event.button.name))

    def action_answer(self, answer: Answer) -> None:
        """Answer with a key."""
        self.dismiss(answer)


class ConfirmScreen(ChoiceScreen):
    """Asks before something is stopped. can_leave: it can continue without the interface, too."""

    BINDINGS = keys.CONFIRM

    def __init__(self, question: str, stop: str, can_leave: bool = False) -> None:
        labels: dict[Answer, str] = {"stay": "Stay", "stop": stop}
        super().__init__(question, labels | {"leave": "Leave it"} if can_leave else labels)


class QuitScreen(ConfirmScreen):
    """Asks what happens to a run when the user quits. label: what people call it."""

    def __init__(self, label: str, can_leave: bool) -> None:
        if can_leave:
            question = "Stop it, or leave it running without this program? Nothing finished is lost."
        else:
            question = "Stop it and quit? What is finished stays on disk."
        super().__init__(f"A {label} is in progress. {question}", "Stop and quit", can_leave)


class OfferScreen(ChoiceScreen):
    """Asks what happens to a run that an engine still works on after its interface has ended.

    others: how many more such runs there are.
    """

    BINDINGS = keys.OFFER

    def __init__(self, run: ListedRun, others: int) -> None:
        super().__init__(_offer(run, others), {"follow": "Follow it", "stop": "Stop it", "leave": "Leave it"})


def _offer(run: ListedRun, others: int) -> str:
    started = f", started {run.started:%Y-%m-%d %H:%M} UTC" if run.started else ""
    words = (
        f"An engine is at work on {one_line(run.suite or run.folder.name)} with {one_line(format_model(run))}: "
        f"{format_jobs(run)} jobs are done{started}. What is finished stays on disk, whatever you choose."
    )
    more = f"{others} more run{'s are' if others > 1 else ' is'} in progress; o lists them."
    return f"{words}\n\n{more}" if others else words
