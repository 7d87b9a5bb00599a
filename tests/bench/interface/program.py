"""The interface as `python -m tui` opens it, on any engine: `python -m tests.bench.interface.program FOLDER ENGINE...`.

FOLDER/suites holds the suites; the engine's log and the runs go there, too.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.worker.options import EngineOptions
from tests.bench.interface.engine import Plan
from tests.helpers import story


def command(plan: Plan, folder: Path) -> list[str]:
    """The command line of the interface on an engine with a plan, its files in a folder."""
    story.suite_folder(folder / "suites")
    return [sys.executable, "-m", "tests.bench.interface.program", str(folder), *plan.command()]


def main() -> int:
    """Open it."""
    from tui.__main__ import collect_rarely, prepare_terminal

    prepare_terminal()
    collect_rarely()
    from tui.app import JsonbreakApp

    folder, engine = Path(sys.argv[1]), sys.argv[2:]
    app = JsonbreakApp(folder / "suites", engine, folder / "engine.log", options=EngineOptions(out=folder / "runs"))
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
