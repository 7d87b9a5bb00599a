"""Tunes a LoRA on a run: asks for rank, epochs and folder, then shows the progress."""

from __future__ import annotations

from pathlib import Path

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static
from typing_extensions import override

from tui import keys
from tui.process.runner import Runner
from tui.process.tune import TuneForm, TuneProcess, TuneState, format_bars, tune_command
from tui.screens.dialogs import Answer, ConfirmScreen
from tui.text.safe import one_line
from tui.widgets.fields.quiet_input import QuietInput

_RANK, _EPOCHS = 8, 2
_MOST = 4096  # of rank and epochs: more is a typing error
_FRAME = 6  # cells of the box that are not text


class TuneScreen(ModalScreen[None]):
    """run: the folder of the run. The engine is closed meanwhile, so that the model is not in memory twice."""

    BINDINGS = keys.TUNE
    AUTO_FOCUS = "#rank"

    def __init__(self, runner: Runner, run: Path) -> None:
        super().__init__()
        self._runner, self._run_folder = runner, run
        self._state: TuneState | None = None
        self._process: TuneProcess | None = None

    @override
    def compose(self) -> ComposeResult:
        with Vertical(id="tune") as box:
            box.border_title = "Tune a LoRA on this run"
            box.border_subtitle = "enter starts, tab the next field, esc closes"
            yield Static(Content(one_line(self._run_folder.name)), markup=False)
            yield Label("rank, and the number of passes over the rows (epochs)", markup=False)
            yield QuietInput(str(_RANK), id="rank", restrict=r"\d*")
            yield QuietInput(str(_EPOCHS), id="epochs", restrict=r"\d*")
            yield Label("a new folder for the adapter", markup=False)
            yield QuietInput(str(Path("adapters") / self._run_folder.name), id="out")
            yield Static(
                "One case in five is held out for the comparison. The engine unloads its model meanwhile.",
                id="progress",
                markup=False,
            )

    @property
    def busy(self) -> bool:
        """Whether a tune is in progress."""
        return self._state is not None and not self._state.over

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if self.busy:
            return
        form = self._form()
        if form is None:
            self._say(f"Rank and epochs are whole numbers from 1 to {_MOST}, and the folder has a name.", "$text-error")
            return
        command = tune_command(self._runner.options, self._run_folder, form)
        if command is None:
            words = "The model is on another machine: run `jsonbreak tune` there, see `jsonbreak tune --help`."
            self._say(words, "$text-error")
            return
        self._state, self._process = TuneState(), TuneProcess(command)
        self._tune(self._state, self._process)

    def _form(self) -> TuneForm | None:
        rank, epochs, out = (self.query_one(f"#{name}", Input).value.strip() for name in ("rank", "epochs", "out"))
        if not (rank.isdecimal() and epochs.isdecimal() and out):
            return None
        if not (1 <= int(rank) <= _MOST and 1 <= int(epochs) <= _MOST):
            return None
        return TuneForm(int(rank), int(epochs), Path(out))

    @work(exclusive=True, group="tune", exit_on_error=False)
    async def _tune(self, state: TuneState, process: TuneProcess) -> None:
        for each in self.query(Input):
            each.disabled = True
        self._show(state)
        await self._runner.close()
        async for event in process.events():
            state.apply(event)
            self._show(state)
        if not state.over:
            state.failure = "Ended: nothing was saved."
        self._show(state)
        if state.saved is not None:
            box = self.query_one("#tune", Vertical)
            box.add_class("-saved")  # room for the commands to run next
            box.border_subtitle = "esc closes"
            return
        for each in self.query(Input):
            each.disabled = False
        self.query_one("#rank").focus()

    def _show(self, state: TuneState) -> None:
        self.query_one("#progress", Static).update(format_progress(state, self.query_one("#tune").size.width - _FRAME))

    def _say(self, sentence: str, style: str) -> None:
        self.query_one("#progress", Static).update(Content.styled(sentence, f"bold {style}"))

    def action_close(self) -> None:
        """Close; asks first while a tune is in progress."""
        if not self.busy:
            self.dismiss()
            return
        question = "A tune is in progress. End it? Nothing of it is saved."
        self.app.push_screen(ConfirmScreen(question, "End it"), self._end_if)

    async def _end_if(self, answer: Answer | None) -> None:
        if answer == "stop" and self._process is not None:
            await self._process.end()

    async def on_unmount(self) -> None:
        """Leave no process behind."""
        if self._process is not None:
            await self._process.end()


def format_progress(state: TuneState, cells: int) -> Content:
    """The progress of a tune in a few lines."""
    lines = [f"Note: {one_line(each)}" for each in state.remarks]
    if state.failure is not None:
        return Content("\n").join([*map(Content, lines), Content.styled(one_line(state.failure), "bold $text-error")])
    if state.begun is None:
        return Content("\n".join([*lines, f"{one_line(state.step)} ..."]))
    begun, left = state.begun, int(state.seconds_left)
    lines.append(f"{begun.rows} rows of {begun.train_cases} cases, {begun.test_cases} cases held out")
    if state.losses:
        clock = f"{left // 60}:{left % 60:02d} left"
        lines.append(f"step {len(state.losses)} of {begun.steps}  loss {state.losses[-1]:.4f}  {clock}")
        lines.append(format_bars(state.losses, cells))
    if state.saved is not None:
        lines.append(f"ok  The adapter is in {one_line(str(state.saved.folder))}. The next commands to run:")
        lines += [f"  {one_line(command)}" for command in state.saved.next]
    return Content("\n".join(lines))
