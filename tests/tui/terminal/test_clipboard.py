"""Copying: through a real tmux, by the terminal's own sequence, or into a file; and the keys for it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import story
from tests.helpers.made_runs import PROSE, Made, write_run
from tests.helpers.stage import Stage
from tests.tui.test_program import START, Terminal
from tui.terminal.clipboard import MOST_BYTES, copy


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A tmux server of its own, inside which the program seems to run."""
    if shutil.which("tmux") is None:
        pytest.skip("needs tmux")
    command = ["tmux", "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]
    subprocess.run([*command, "new-session", "-d", "sleep 60"], check=True)
    monkeypatch.setenv("TMUX", f"{tmp_path / 'tmux'},0,0")
    yield command
    subprocess.run([*command, "kill-server"], check=True)


def messages(it: Stage) -> list[str]:
    """The notifications so far."""
    return [each.message for each in it.app._notifications]


async def notified(it: Stage, words: str) -> None:
    await it.until(lambda: any(words in each for each in messages(it)))


async def test_through_tmux(stage: Any, tmux: list[str]) -> None:
    text = 'ü "quoted"\n\tand a \x1b[31mred one\n'
    async with stage() as it:
        said = await copy(it.app, text, "name")
        assert said.startswith("Sent to tmux: its paste key gives it back. tmux hands it to the terminal's clipboard")
        shown = subprocess.run([*tmux, "show-buffer"], check=True, capture_output=True)
        assert shown.stdout.decode() == text


def test_through_tmux_to_the_terminal_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As tmux is without any configuration, on a terminal that takes OSC 52."""
    if shutil.which("tmux") is None:
        pytest.skip("needs tmux")
    monkeypatch.delenv("TMUX", raising=False)
    suites, engine = story.suite_folder(tmp_path / "suites"), story.command(story.people_run(), tmp_path)
    program = [sys.executable, "-c", START, str(suites), str(tmp_path / "log"), *engine]
    terminal = Terminal(["/usr/bin/env", "tmux", "-S", str(tmp_path / "tmux"), "-f", "/dev/null", "new", *program])
    terminal.until(lambda: b"Extract the name" in terminal.seen)
    terminal.type(b"r")
    terminal.until(lambda: b"finished" in terminal.seen)
    terminal.type(b"gy")
    sent = base64.b64encode(story.people_records()[0].free.text.encode())
    terminal.until(lambda: b"\x1b]52;" in terminal.seen and sent in terminal.seen)
    terminal.type(b"q")
    assert terminal.exit_code() == 0


async def test_a_tmux_that_is_gone_or_says_nothing(stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.terminal.clipboard._TMUX_TIMEOUT", 0.1)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("TMUX", "gone,0,0")
    for script in ("exit 1", "exec sleep 60"):
        (tmp_path / "tmux").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "tmux").chmod(0o755)
        async with stage() as it:
            assert "OSC 52" in await copy(it.app, script, "name")
            assert it.app.clipboard == script


async def test_by_the_terminal_or_into_a_file(stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    written: list[str] = []
    async with stage(story.people_run(), (120, 40)) as it:
        driver = it.app._driver
        write = driver.write

        def record(data: str) -> None:
            written.append(data)
            write(data)

        monkeypatch.setattr(driver, "write", record)
        said = await copy(it.app, "ü\x1b", "name")
        assert said == "Sent to the terminal as its clipboard (OSC 52). Not every terminal takes it."
        assert f"\x1b]52;c;{base64.b64encode('ü'.encode() + bytes([27])).decode()}\a" in written

        await copy(it.app, "half \ud800", "name")
        assert f"\x1b]52;c;{base64.b64encode(b'half ?').decode()}\a" in written

        longest = "x" * MOST_BYTES
        assert "OSC 52" in await copy(it.app, longest, "name")
        file = tmp_path / "cache" / "jsonbreak" / "copied" / "people_.._.._naive-free.txt"
        said = await copy(it.app, longest + "ü", "people/../../naive-free.txt")
        assert said == f"Too long for a clipboard (64 kB): written to {file}"
        assert file.read_text() == longest + "ü"
        shutil.rmtree(tmp_path / "cache")
        (tmp_path / "cache").write_text("in the way")
        said = await copy(it.app, longest + "ü", "name")
        assert said.startswith("Too long for a clipboard (64 kB), and ")
        assert said.endswith("cannot be written (Not a directory).")

        await it.run()
        await it.sees("finished")
        first = story.people_records()[0]

        def copied() -> list[str]:
            return [base64.b64decode(each[7:-1]).decode() for each in written if each.startswith("\x1b]52;")]

        for keys, text in ((("home", "y"), first.free.text), (("tab", "tab", "y"), first.constrained.text)):
            before = len(copied())
            await it.press(*keys)
            await it.until(lambda before=before: len(copied()) > before)
            assert copied()[-1] == text
        await it.press("Y")
        await it.until(lambda: copied()[-1].startswith("{"))
        as_json = json.loads(copied()[-1])
        assert (as_json["id"], as_json["free"]["text"]) == (first.id, first.free.text)
        await notified(it, "Sent to the terminal as its clipboard")
        await it.press("w")
        await notified(it, f"{story.FOLDER}")  # the scripted engine writes no folder


async def test_nothing_to_copy_and_a_report(stage: Any, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "elsewhere", [Made(PROSE), Made(None, None, case="eve")])
    steps = list(story.people_run(hold="go"))
    async with stage(steps, (120, 40)) as it:
        await it.run()
        await it.press("home", "y")
        await notified(it, "There is nothing to copy: this job is not finished.")
        it.run_state.folder = folder
        await it.press("w")
        await notified(it, "The report is in ")
        name = next(each for each in messages(it) if each.startswith("The report is in ")).removeprefix(
            "The report is in "
        )
        assert "<html" in Path(name).read_text()
        it.open_gate("go")
