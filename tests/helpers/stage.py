"""The interface on a scripted engine, with what a person would see of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from textual.pilot import Pilot
from textual.screen import Screen

from tests.helpers import story
from tui.app import JsonbreakApp
from tui.process.runner import Runner
from tui.state.adapters import AdapterChoice
from tui.state.job import JobState
from tui.state.run import RunState

ScreenT = TypeVar("ScreenT", bound=Screen[Any])


class Stage:
    """The app on a scripted engine, with what a person would see of it."""

    def __init__(self, app: JsonbreakApp, pilot: Pilot[None], folder: Path) -> None:
        self.app, self.pilot, self.folder = app, pilot, folder

    @property
    def lines(self) -> list[str]:
        """The screen's lines of text, as a terminal would show them."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def runner(self) -> Runner:
        assert self.app.runner is not None
        return self.app.runner

    @property
    def run_state(self) -> RunState:
        """The state of the run in progress, or of the last one."""
        assert self.runner.state is not None
        return self.runner.state

    @property
    def selected(self) -> JobState:
        """The job that is selected on the current screen."""
        screen: Any = self.app.screen  # which of the screens with jobs it is makes no difference
        job: JobState | None = screen.selected
        assert job is not None
        return job

    def screen(self, kind: type[ScreenT]) -> ScreenT:
        """The current screen, which is of this kind."""
        assert isinstance(self.app.screen, kind)
        return self.app.screen

    def line(self, word: str) -> str:
        """The first line with a word in it."""
        found = [line for line in self.lines if word in line]
        assert found, f"no line with {word!r} in\n{self.text}"
        return found[0]

    async def until(self, condition: Callable[[], Any], seconds: float = 20) -> None:
        """Wait until a condition holds; show the screen when it does not."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"it did not come about:\n{self.text}"
            await self.pilot.pause(0.02)
        await self.pilot.pause()

    async def sees(self, *words: str) -> None:
        """Wait until all the words are on the screen."""
        await self.until(lambda: all(word in self.text for word in words))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def run(self) -> None:
        """Run the suite `people` from the first screen."""
        await self.sees("Extract the name and age")
        await self.press("r")
        await self.sees("strict ", "schema ", "right ")

    def open_gate(self, name: str) -> None:
        story.open_gate(self.folder, name)

    def received(self, kind: str) -> list[dict[str, Any]]:
        """The commands of a kind the engine was given."""
        return [command for command in story.received(self.folder) if command["type"] == kind]


class OpenStage(Protocol):
    """`async with stage(steps, size) as it:` opens the app on an engine that plays the steps."""

    def __call__(
        self,
        steps: Iterable[story.Step] = (),
        size: tuple[int, int] = (80, 24),
        path: Path | None = None,
        order: str = "start_run",
        runs: Path | None = None,
        adapters: AdapterChoice | None = None,
    ) -> AbstractAsyncContextManager[Stage]: ...
