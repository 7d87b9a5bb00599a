"""The screen of a run that is read from its folder; it grows while another engine works on it."""

from __future__ import annotations

from textual import on, work
from textual.worker import get_current_worker
from typing_extensions import override

from tui.messages import RecordsRead
from tui.process.runner import Runner
from tui.screens.run import RunScreen
from tui.state.opened_run import OpenedRun


class OpenedScreen(RunScreen):
    """Reads the records in a thread, so that the first are there at once and all soon.

    The run itself cannot be paused or cancelled from here: another engine decodes it, if any. Its trials can.
    """

    def __init__(self, runner: Runner, opened: OpenedRun) -> None:
        super().__init__(runner, opened.state)
        self._run = opened

    def on_mount(self) -> None:
        """Start reading."""
        self._read()

    @work(thread=True, exclusive=True, group="records")
    def _read(self) -> None:
        worker = get_current_worker()
        for batch in self._run.read():
            if worker.is_cancelled:
                return
            self.post_message(RecordsRead(batch))

    @on(RecordsRead)
    def _apply(self, message: RecordsRead) -> None:
        self._run.apply(message.batch)

    @override
    async def action_pause(self) -> None:
        if self.trial_running:
            await super().action_pause()
        else:
            self._refuse_control()

    @override
    async def action_cancel(self) -> None:
        if self.trial_running:
            await super().action_cancel()
        else:
            self._refuse_control()

    def _refuse_control(self) -> None:
        if self.state.over:
            self.inform("This run is over.")
        else:
            self.inform("Another engine works on this run: it can be stopped in the list of runs, by x.")
