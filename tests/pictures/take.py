"""Take the README's pictures of the real app on the real model: `python -m tests.pictures.take`."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import tempfile
import time
from pathlib import Path

from textual.pilot import Pilot

from tui.__main__ import prepare_terminal

HERE = Path(__file__).parent
SUITE = HERE.parent.parent / "suites" / "people.toml"
ASKING = "Extract the name and age: {input} Answer with JSON and nothing else, with the keys name and age."
VARIATIONS = 'use = ["upper-case", "typos", "emoji", "quotes"]'


async def take() -> None:
    """Run a part of a suite twice, with an edited prompt beside it, and save the screens on the way.

    Two prompts, the first cases and four variations: the pictures are taken in some minutes, on any machine.
    """
    from tui.app import JsonbreakApp
    from tui.settings import Settings

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # the pictures show no path of this machine
        Path(SUITE.name).write_text(_part(SUITE.read_text(encoding="utf-8")), encoding="utf-8")
        command = [sys.executable, "-m", "engine", "worker", "--out", "runs"]
        app = JsonbreakApp(Path(SUITE.name), command, Path("log"), settings=Settings(theme="dark"))
        async with app.run_test(size=(120, 40)) as pilot:
            await _until(pilot, lambda: "naive" in _text(pilot))
            await pilot.press("4")
            await _until(pilot, lambda: "<|im_start|>" in _text(pilot))
            _save(pilot, "browse")
            await pilot.press("1", "r")
            await _run_ended(pilot)
            await _go_to(pilot, "code_fence", "truncated", "other_syntax")
            _save(pilot, "run")
            await pilot.press("t")
            await pilot.pause(0.5)
            _save(pilot, "tokens")
            await pilot.press("t", "m", "r", "r")
            await pilot.pause(1)
            _save(pilot, "matrix")
            await pilot.press("escape", "g", "e")
            await pilot.pause(1)
            await pilot.press("end", *" Answer with JSON and nothing else, with the keys name and age.")
            await pilot.press("f3", "f3")
            _save(pilot, "edit")
            await pilot.press("f5")
            await pilot.pause(1)
            await _run_ended(pilot)
            await pilot.press("G")
            await pilot.pause(1)
            _save(pilot, "trial")
            await pilot.press("escape")
            _ask_for_json(Path(SUITE.name))
            await pilot.press("f5", "r")
            await pilot.pause(1)
            await _run_ended(pilot)
            await pilot.press("escape", "o")
            await _until(pilot, lambda: "finished" in _text(pilot))
            await pilot.press("end", "b", "home")
            await pilot.pause(1)
            _save(pilot, "runs")
            await pilot.press("c")
            await _until(pilot, lambda: "fixed" in _text(pilot))
            await pilot.press("n")
            await pilot.pause(1)
            _save(pilot, "compare")


def _part(text: str) -> str:
    """The suite with two prompts, fewer cases and a few variations."""
    text = re.sub(r"^\[variations\]\n.*?(?=^\[)", f"[variations]\n{VARIATIONS}\n", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^use = .*$", 'use = ["naive", "json-only"]', text, count=1, flags=re.MULTILINE)
    head, *cases = re.split(r"(?m)^(?=\[\[case\]\])", text)
    return head + "".join(cases[:6])


def _ask_for_json(suite: Path) -> None:
    """Put another prompt in the place of the library's naive one, so that the suite's next run is another."""
    prompt = f'[[prompt]]\nname = "naive"\nuser = "{ASKING}"\n\n'
    text = suite.read_text(encoding="utf-8")
    suite.write_text(text.replace("[[case]]", f"{prompt}[[case]]", 1), encoding="utf-8")


def _text(pilot: Pilot[None]) -> str:
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())


async def _until(pilot: Pilot[None], condition: object, seconds: float = 600) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, _text(pilot)
        await pilot.pause(0.2)


async def _run_ended(pilot: Pilot[None]) -> None:
    from tui.app import JsonbreakApp

    app = pilot.app
    assert isinstance(app, JsonbreakApp)
    await _until(pilot, lambda: app.runner is not None and app.runner.task is not None and not app.runner.busy)
    assert app.runner is not None
    assert app.runner.task is not None
    assert app.runner.task.failure is None, app.runner.task.failure
    await pilot.pause(1)


async def _go_to(pilot: Pilot[None], *classes: str) -> None:
    """Put the cursor on the first job whose free reply is of one of the classes, the first that there is."""
    from tui.app import JsonbreakApp
    from tui.widgets.lists.job_list import JobList

    app = pilot.app
    assert isinstance(app, JsonbreakApp)
    assert app.runner is not None
    assert app.runner.state is not None
    firsts = [job.facts.free.classes[0] if job.facts and job.facts.free else "" for job in app.runner.state.jobs]
    number = next(firsts.index(each) for each in classes if each in firsts)
    pilot.app.screen.query_one(JobList).select(number)
    await pilot.pause(1)


def _save(pilot: Pilot[None], name: str) -> None:
    (HERE / f"{name}.svg").write_text(pilot.app.export_screenshot(title="jsonbreak"), encoding="utf-8")


if __name__ == "__main__":
    prepare_terminal()
    asyncio.run(take())
