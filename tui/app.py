"""The application: opens the screens, holds the engine, and ends both in order."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.app import App
from textual.binding import Binding
from typing_extensions import override

from engine.worker.options import DecodingOptions, EngineOptions
from tui import keys
from tui.keymap import format_keys
from tui.messages import CompareRequested, OpenRunRequested, RunRequested, RunsRequested, SearchRequested
from tui.screens.browse import BrowseScreen
from tui.settings import DEFAULTS, Settings, settings_file
from tui.state.adapters import AdapterChoice
from tui.terminal.driver import FlowControlDriver
from tui.themes import DEFAULT_THEME, NAMES, own_themes

if TYPE_CHECKING:
    from engine.protocol.commands import StartRun
    from engine.runs.listing import ListedRun
    from tui.process.runner import Runner
    from tui.screens.dialogs import Answer

_END_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class JsonbreakApp(App[None]):
    """Shows the suites under `path` and runs them on an engine started by `command`.

    options: what `command` was made of. decoding: for every run. adapters: of the engine. settings: `command` must
    agree with its keep_running.
    """

    runner: Runner | None
    """Made at the first run, so that the first paint does not wait for its imports."""

    left: int | None
    """The process of an engine that continues after the app has ended."""

    TITLE = "jsonbreak"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        "styles/app.tcss",
        "styles/browse.tcss",
        "styles/run.tcss",
        "styles/job.tcss",
        "styles/search.tcss",
        "styles/filter.tcss",
        "styles/matrix.tcss",
        "styles/runs.tcss",
        "styles/edit.tcss",
    ]
    BINDINGS = keys.APP

    def __init__(
        self,
        path: Path,
        command: Sequence[str],
        log_path: Path | None = None,
        *,
        options: EngineOptions | None = None,
        decoding: DecodingOptions | None = None,
        settings: Settings = DEFAULTS,
        adapters: AdapterChoice | None = None,
    ) -> None:
        super().__init__(driver_class=FlowControlDriver)
        for theme in own_themes():
            self.register_theme(theme)
        wanted = settings.theme or os.environ.get("TEXTUAL_THEME")
        self.set_reactive(JsonbreakApp.theme, DEFAULT_THEME)  # Textual has TEXTUAL_THEME there already: no change
        self.theme = wanted if wanted in self.available_themes else NAMES[0]
        self._remapped = dict(settings.keys)
        self.set_keymap(self._remapped)
        self._keep_running = settings.keep_running
        self.left = None
        self._path = path
        self._command = tuple(command)
        self._log_path = log_path
        self._options, self._decoding = options or EngineOptions(), decoding or DecodingOptions()
        self._adapters = adapters or AdapterChoice()
        self._runs = self._options.out
        self._former_handlers: dict[int, Any] = {}
        self.runner = None

    def on_mount(self) -> None:
        """Handle the signals and show the suites."""
        # Without handlers a dropped connection (SIGHUP) would end the program without cleaning up.
        for number in _END_SIGNALS:
            self._former_handlers[number] = signal.signal(number, self._end)
        self.app_resume_signal.subscribe(self, self._on_app_resumed)
        self.push_screen(BrowseScreen(self._path, self._runs, self._have_runner, self._adapters))
        self.call_after_refresh(self._look_for_engines)

    async def on_unmount(self) -> None:
        """End the engine with the app, unless it is to finish the current run."""
        if self.runner is not None:
            if self._keep_running and self.runner.busy:
                self.left = self.runner.leave()
            else:
                await self.runner.close()
        for number, handler in self._former_handlers.items():
            signal.signal(number, handler)

    def _end(self, number: int, frame: FrameType | None) -> None:
        """Exit as if asked to. A signal handler: it may run between any two lines of the program."""
        _ignore_resumption()
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.exit)

    @override
    def exit(self, *args: Any, **kwargs: Any) -> None:
        _ignore_resumption()
        super().exit(*args, **kwargs)

    @on(RunRequested)
    async def _run_suite(self, message: RunRequested) -> None:
        from tui.screens.run import RunScreen

        runner = self._idle_runner()
        if runner is None:
            return
        former = runner.state
        state = await runner.start(self._order(message), message.without)
        if isinstance(self.screen, RunScreen) and self.screen.state is former:
            self.screen.show_state(state)
        else:
            await self.push_screen(RunScreen(runner, state))

    def _order(self, message: RunRequested) -> StartRun:
        """The command to the engine. A resumed run keeps its original settings; where that fails, a new run starts."""
        from engine.errors import BadInputError
        from engine.protocol.commands import StartRun
        from engine.runs.resuming import resume_command
        from tui.text.safe import one_line

        if message.resume is not None:
            try:
                return replace(resume_command(message.resume), suite=message.suite, batch=self._decoding.batch)
            except BadInputError as error:
                self.notify(f"{one_line(str(error))} A new run starts.", severity="warning", markup=False)
        without = tuple(sorted(message.without))
        return StartRun(
            message.suite,
            batch=self._decoding.batch,
            grammar=self._decoding.grammar,
            without=without,
            adapter=message.adapter,
        )

    @on(SearchRequested)
    async def _search_suite(self, message: SearchRequested) -> None:
        from engine.protocol.commands import StartSearch
        from tui.screens.search import SearchScreen

        runner = self._idle_runner()
        if runner is None:
            return
        await runner.start_search(StartSearch(message.suite, batch=self._decoding.batch))
        if not isinstance(self.screen, SearchScreen):
            await self.push_screen(SearchScreen(runner))

    @on(RunsRequested)
    def _list_runs(self) -> None:
        from tui.screens.runs import RunsScreen

        self.push_screen(RunsScreen(self._runs))

    @on(OpenRunRequested)
    def _open_run(self, message: OpenRunRequested) -> None:
        from engine.errors import BadInputError
        from tui.screens.opened import OpenedScreen
        from tui.state.opened_run import OpenedRun
        from tui.text.safe import one_line

        try:
            self.push_screen(OpenedScreen(self._have_runner(), OpenedRun(message.folder)))
        except BadInputError as error:
            self.notify(one_line(str(error)), severity="error", markup=False)

    @on(CompareRequested)
    def _compare(self, message: CompareRequested) -> None:
        from engine.errors import BadInputError
        from tui.screens.compare import CompareScreen
        from tui.state.comparison import Comparison
        from tui.text.safe import one_line

        try:
            comparison = Comparison(message.baseline, message.candidate)
            self.push_screen(CompareScreen(self._have_runner(), comparison))
        except BadInputError as error:
            self.notify(one_line(str(error)), severity="error", markup=False)

    @work(thread=True, group="engines")
    def _look_for_engines(self) -> None:
        """Offer to follow or stop a run that an engine still works on. Imports nothing where there is none."""
        if any(self._runs.glob("*/engine.json")):
            from engine.runs.listing import runs_in_progress

            if going_on := runs_in_progress(self._runs):
                self.call_from_thread(self._offer, going_on)

    def _offer(self, going_on: list[ListedRun]) -> None:
        from tui.screens.dialogs import OfferScreen

        self.push_screen(OfferScreen(going_on[0], len(going_on) - 1), partial(self._answer_offer, going_on[0].folder))

    def _answer_offer(self, folder: Path, answer: Answer | None) -> None:
        from engine.runs.owner import owner_of, stop

        if answer == "follow":
            self._open_run(OpenRunRequested(folder))
        elif answer == "stop" and (worker := owner_of(folder)) is not None:
            stop(worker)
            self.notify("The engine was asked to stop: it does so after the current step.", markup=False)

    def _idle_runner(self) -> Runner | None:
        """The runner; None while it is busy."""
        runner = self._have_runner()
        return None if runner.busy else runner

    def _have_runner(self) -> Runner:
        from tui.process.runner import Runner

        if self.runner is None:
            self.runner = Runner(self._command, self._log_path, self._options, self._decoding)
        return self.runner

    def action_help(self) -> None:
        """Show the keys."""
        from tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self._remapped, self.screen.BINDINGS))

    def action_leave(self) -> None:
        """Quit, asking first while something is in progress."""
        work = self.runner.task if self.runner is not None else None
        if work is None or work.over:
            self.exit()
            return
        from tui.screens.dialogs import QuitScreen

        self.push_screen(QuitScreen(work.label, self._keep_running and work.folder is not None), self._quit_if)

    async def _quit_if(self, answer: Answer | None) -> None:
        if answer == "stop" and self.runner is not None:
            await self.runner.stop()
        if answer in ("stop", "leave"):
            self.exit()

    def action_next_theme(self) -> None:
        """Switch to the next theme."""
        known = NAMES.index(self.theme) if self.theme in NAMES else -1
        self.theme = NAMES[(known + 1) % len(NAMES)]
        self.notify(f"Theme: {self.theme}. settings.toml keeps one: {settings_file()}", markup=False)

    @override
    def action_command_palette(self) -> None:
        from tui.palette import Palette

        self.push_screen(Palette())

    @override
    def get_key_display(self, binding: Binding) -> str:
        return binding.key_display or format_keys(binding.key)

    def _on_app_resumed(self, app: App[None]) -> None:
        """After `fg` Textual takes the terminal back but draws nothing."""
        self.refresh(layout=True)


def _ignore_resumption() -> None:
    """Stop Textual's driver from taking the terminal back at SIGCONT.

    A terminal that closes sends SIGHUP and then SIGCONT. A driver that resumes while the app shuts down starts an
    input thread that nothing stops: it reads from a closed terminal in a busy loop.
    """
    signal.signal(signal.SIGCONT, signal.SIG_DFL)
