"""A run read from its folder, in the screen of runs; it grows while an engine elsewhere works on it."""

from __future__ import annotations

from pathlib import Path

from textual import on, work
from textual.app import App
from textual.worker import get_current_worker

from engine.errors import BadInputError
from tui.messages import RecordsRead
from tui.process.runner import Runner
from tui.screens.run import RunScreen
from tui.state.opened_run import OpenedRun
from tui.text.safe import one_line

_ELSEWHERE = "Another engine works on this run: it can be stopped in the list of runs, by x."


def open_run(app: App[None], runner: Runner, folder: Path) -> None:
    """Show a run. The user is told where its records cannot be read."""
    try:
        opened = OpenedRun(folder)
    except BadInputError as error:
        app.notify(one_line(str(error)), severity="error", markup=False)
    else:
        app.push_screen(OpenedScreen(runner, opened))


class OpenedScreen(RunScreen):
    """Reads the records in a thread, so that the first are there at once and all soon."""

    def __init__(self, runner: Runner, opened: OpenedRun) -> None:
        super().__init__(runner, opened.state)
        self._run = opened

    def on_mount(self) -> None:
        """Begin to read."""
        self._read()

    @work(thread=True, exclusive=True, group="records")
    def _read(self) -> None:
        worker = get_current_worker()
        for batch in self._run.read():
            if worker.is_cancelled:
                return
            self.post_message(RecordsRead(batch))

    @on(RecordsRead)
    def _take(self, message: RecordsRead) -> None:
        self._run.apply(message.batch)

    async def action_pause(self) -> None:
        """Pause a trial beside the run; the run itself cannot be paused from here."""
        if self.trial is not None and not self.trial.over:
            await super().action_pause()
        else:
            self.notify(_ELSEWHERE if not self._run.state.over else "This run is over.", markup=False)

    async def action_cancel(self) -> None:
        """Cancel a job of a trial beside the run."""
        if self.trial is not None and not self.trial.over:
            await super().action_cancel()
        else:
            await self.action_pause()
