"""On the screen of a run: other keys, what the palette offers, the themes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.worker.options import EngineOptions
from tests.helpers import story
from tests.helpers.stage import Stage
from tui import themes
from tui.app import JsonbreakApp
from tui.settings import Settings


async def test_other_keys_the_palette_and_the_themes_of_a_run(tmp_path: Path) -> None:
    suites, engine = story.suite_folder(tmp_path / "suites"), story.command(story.people_run(), tmp_path)
    set_so = Settings("light", False, {"run.next_broken": "b", "run.matrix": "ctrl+n,f9"})
    app = JsonbreakApp(suites, engine, tmp_path / "log", options=EngineOptions(out=tmp_path / "runs"), settings=set_so)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        it = Stage(app, pilot, tmp_path)
        await it.run()
        await it.sees("finished", "b next broken", "ctrl+n matrix")
        screen: Any = app.screen
        await it.press("home", "n")
        assert screen.selected.info.case == "alice", "the usual key does nothing"
        await it.press("b")
        assert screen.selected.info.case == "bob"
        for key in ("ctrl+n", "f9"):
            await it.press(key)
            await it.until(lambda: app.screen is not screen)
            await it.press("escape")
            await it.until(lambda: app.screen is screen)

        await it.press("ctrl+p")
        await it.sees("b            to the next broken free reply", "write the report next to the run's folder")
        await it.press(*"next", "space", *"broken")
        await it.until(lambda: "to the next broken" in it.text and "write the report" not in it.text)
        await it.press("down", "enter")
        await it.until(lambda: app.screen is screen and it.selected.info.prompt == "json-only")
        assert screen.selected.info.case == "bob"

        seen = [app.theme]
        for _ in themes.NAMES:
            await it.press("f2")
            seen.append(app.theme)
        assert seen[0] == seen[-1] == "light"
        assert set(seen) == set(themes.NAMES)
