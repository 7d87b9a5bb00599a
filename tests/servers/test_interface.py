"""The interface on a server: both arms grow side by side, and it says what the server does not report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.stage import Stage
from tests.helpers.suite_files import numbered_cases, write_suite
from tests.servers.faulty import Fault, FaultyServer
from tui.app import JsonbreakApp


@pytest.mark.parametrize("weighed", [True, False], ids=["tokens-reported", "tokens-not-reported"])
async def test_a_run_is_watched_live_and_looked_at_afterwards(tmp_path: Path, weighed: bool) -> None:
    def fault(body: dict[str, Any], number: int) -> Fault | None:
        if not weighed:
            body["logprobs"] = False
        return None

    server = FaultyServer(fault)
    server.pause = 0.06
    suites = tmp_path / "suites"
    suites.mkdir()
    write_suite(suites, cases=numbered_cases(2))
    command = [sys.executable, "-m", "engine", "worker", "--server", server.url, "--out", str(tmp_path / "runs")]
    app = JsonbreakApp(suites, command, tmp_path / "engine.log")
    try:
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            it = Stage(app, pilot, tmp_path)
            await it.sees("Extract the name and age")
            await it.press("r")
            # Neither reply is complete yet, and both are streaming.
            await it.until(lambda: "There is n" in it.text and '{"name":' in it.text and "that." not in it.text)
            await it.sees("ok finished  2 of 2 jobs")
            unweighed = "fork at character 0: the server does not report tokens"
            await it.sees("fork at token 0: wanted" if weighed else unweighed)
            await it.press("t")
            await it.sees("TOKENS")
            if weighed:
                await it.sees("The arms part here.", "p 90.48%")
                await it.press("tab")
                await it.sees("The server did not report the probabilities of tokens.")
            else:
                await it.sees("The server did not report the tokens of this reply.")
    finally:
        server.close()
