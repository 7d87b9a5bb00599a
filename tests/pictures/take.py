"""Take the README's picture of the real app on the real model: `python -m tests.pictures.take`."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import tempfile
import time
from pathlib import Path

from tui.__main__ import prepare_terminal

HERE = Path(__file__).parent
SUITE = HERE.parent.parent / "suites" / "people.toml"


async def take() -> None:
    """Run the suite to its end, step to a broken case, and save the screen.

    Two prompts and no variations: the picture is taken in a minute, on any machine.
    """
    from tui.app import JsonbreakApp

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # the picture shows no path of this machine
        text = SUITE.read_text(encoding="utf-8")
        text = re.sub(r"^\[variations\]\n.*?(?=^\[)", "", text, flags=re.DOTALL | re.MULTILINE)
        text = re.sub(r"^use = .*$", 'use = ["naive", "json-only"]', text, count=1, flags=re.MULTILINE)
        Path(SUITE.name).write_text(text, encoding="utf-8")
        app = JsonbreakApp(Path(SUITE.name), [sys.executable, "-m", "engine", "worker", "--out", "runs"], Path("log"))
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause(1)
            await pilot.press("r")
            deadline = time.monotonic() + 600
            while app.runner is None or app.runner.state is None or app.runner.busy:
                assert time.monotonic() < deadline, "the run did not end"
                await pilot.pause(0.5)
            assert app.runner.state.failure is None, app.runner.state.failure
            state = app.runner.state
            verdicts = [job.record.free.verdict for job in state.jobs if job.record]
            wrapped = [number for number, verdict in enumerate(verdicts) if verdict and verdict.unwrapped]
            await pilot.press("g", *["down"] * (wrapped[0] if wrapped else 0))
            await pilot.pause(1)
            picture = app.export_screenshot(title="jsonbreak")
    (HERE / "run.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    prepare_terminal()
    asyncio.run(take())
