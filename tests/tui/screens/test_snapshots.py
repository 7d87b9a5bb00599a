"""The main screens as pictures, in two sizes and three themes.

The pictures lie in __snapshots__ and open in any browser. After a change that is meant: `pytest --snapshot-update`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex
from textual.widgets import TextArea

from tests.helpers import story
from tests.helpers.made_runs import FENCED, MANIFEST, PROSE, RIGHT, Made, write_run
from tests.helpers.stage import Stage


class Pictures(SingleFileSnapshotExtension):
    """One SVG file a picture, with its own name."""

    _write_mode = WriteMode.TEXT
    file_extension = "svg"

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        return str(index)


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Pictures)


def past_runs(runs: Path) -> None:
    """Two runs of one suite, at fixed times."""
    answers = {"20260201T100000Z": (FENCED, RIGHT, PROSE), "20260202T100000Z": (RIGHT, RIGHT, PROSE)}
    for started, replies in answers.items():
        jobs = [Made(reply, case=case) for reply, case in zip(replies, ("ann", "bob", "cem"), strict=True)]
        day = f"{started[:4]}-{started[4:6]}-{started[6:8]}T10:00:00+00:00"
        folder = write_run(runs, jobs, {**MANIFEST, "started": day})
        folder.rename(runs / f"{started}-made-made-model")


async def test_the_main_screens(
    stage: Any,
    size: tuple[int, int],
    picture: SnapshotAssertion,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # so that no path of this machine is in a picture
    past_runs(Path("runs"))
    story.suite_folder(Path("suites"))
    different = []
    async with stage(story.people_run(), size, path=Path("suites"), runs=Path("runs")) as it:

        async def take(screen: str) -> None:
            for area in it.app.screen.query(TextArea):
                area.cursor_blink = False
            await it.pilot.pause(0.15)  # what is drawn ten times a second has been drawn
            for theme in ("dark", "light", "contrast"):
                it.app.theme = theme
                await it.pilot.pause()
                name = f"{screen}-{size[0]}x{size[1]}-{theme}"
                if drawn(it) != picture(name=name):
                    different.append(name)

        await it.sees("Extract the name and age")
        await take("browse")
        await it.press("r")
        await it.sees("6 of 6 jobs")
        await it.press("g")
        await it.sees("37 characters of prose")
        await take("run")
        for screen, key in {"tokens": "t", "values": "v", "prompt": "p"}.items():
            await it.press(key)
            await take(screen)
            await it.press("escape")
        await it.press("m")
        await take("matrix")
        await it.press("escape", "F")
        await take("filter")
        await it.press("escape", "e")
        await take("edit")
        await it.press("escape", "question_mark")
        await take("help")
        await it.press("escape", "escape")
        await it.sees("2 prompts")
        await it.press("o")
        await it.sees("20260202")
        await take("runs")
    assert different == []


def drawn(it: Stage) -> str:
    """The screen as an SVG, without what differs from one making to the next: Rich's name for the terminal."""
    svg = it.app.export_screenshot(title="jsonbreak", simplify=True)
    svg = re.sub(r"@font-face \{.*?\}\n?", "", svg, flags=re.DOTALL)
    return re.sub(r"terminal-\d+", "terminal", svg)
