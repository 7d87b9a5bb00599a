"""Open the interface on the scripted engine to look at it: `python -m tests.helpers.look FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.helpers import story
from tui.__main__ import prepare_terminal

if __name__ == "__main__":
    prepare_terminal()
    from tui.app import JsonbreakApp

    folder = Path(sys.argv[1])
    steps = []
    for step in story.people_run():
        steps += [step, {"do": "sleep", "seconds": 0.15}]
    app = JsonbreakApp(story.suite_folder(folder / "suites"), story.command(steps, folder), folder / "engine.log")
    app.run()
