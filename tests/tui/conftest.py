from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.worker.options import EngineOptions
from tests.helpers import story
from tests.helpers.stage import OpenStage, Stage
from tui.app import JsonbreakApp
from tui.state.adapters import AdapterChoice


@pytest.fixture(params=[(80, 24), (120, 40)], ids=["80x24", "120x40"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    width, height = request.param
    return width, height


@pytest.fixture
def stage(tmp_path: Path) -> OpenStage:
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
