from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from engine.worker.options import EngineOptions
from tests.helpers import story
from tui.app import JsonbreakApp
from tui.state.adapters import AdapterChoice


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

    def line(self, word: str) -> str:
        """The first line with a word in it."""
        found = [line for line in self.lines if word in line]
        assert found, f"no line with {word!r} in\n{self.text}"
        return found[0]

    async def until(self, condition: Callable[[], Any], seconds: float = 20) -> None:
        """Wait until something is so; show the screen when it does not come about."""
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


@pytest.fixture(params=[(80, 24), (120, 40)], ids=["80x24", "120x40"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param


@pytest.fixture
def stage(tmp_path: Path):
    """`async with stage(steps, size) as it:` opens the app on an engine that plays the steps."""

    @asynccontextmanager
    async def open_stage(
        steps: Iterable[story.Step] = (),
        size: tuple[int, int] = (80, 24),
        path: Path | None = None,
        order: str = "start_run",
        runs: Path | None = None,
        adapters: AdapterChoice | None = None,
    ) -> AsyncIterator[Stage]:
        suites = path or story.suite_folder(tmp_path / "suites")
        command = story.command(steps, tmp_path, order)
        log, runs = tmp_path / "engine.log", runs or tmp_path / "runs"
        app = JsonbreakApp(suites, command, log, options=EngineOptions(out=runs), adapters=adapters)
        async with app.run_test(size=size, notifications=True) as pilot:
            yield Stage(app, pilot, tmp_path)

    return open_stage
