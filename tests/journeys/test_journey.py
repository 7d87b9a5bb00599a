"""A journey in a real terminal: tmux, the real program, the real model, the screens as a person reads them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers.suite_files import numbered_cases, write_suite

pytestmark = [pytest.mark.model, pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")]


class Terminal:
    """A tmux server of its own with one window."""

    def __init__(self, size: tuple[int, int], command: list[str], cwd: Path) -> None:
        self._server = f"jsonbreak-{uuid.uuid4().hex[:8]}"
        columns, rows = map(str, size)
        and_tell = ["sh", "-c", '"$@"; echo "exit status $?"; sleep 600', "sh", *command]
        self._tmux("new-session", "-d", "-x", columns, "-y", rows, "-c", str(cwd), *and_tell)

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._server, "-f", "/dev/null", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def sees(self, pattern: str, seconds: float = 120) -> str:
        """Wait until the screen matches; the screen."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, screen := self.screen()):
            assert time.monotonic() < deadline, f"never saw {pattern!r}:\n{screen}"
            time.sleep(0.1)
        return screen

    def sees_no_more(self, words: str, seconds: float = 120) -> None:
        """Wait until the words are gone from the screen."""
        self.sees(rf"(?s)\A(?!.*{words})", seconds)

    def close(self) -> None:
        self._tmux("kill-server")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[[tuple[int, int]], Terminal]]:
    terminals = []

    def start(size: tuple[int, int]) -> Terminal:
        root = Path(__file__).parents[2]
        write_suite(tmp_path, name="small")
        command = [sys.executable, "-m", "engine", str(tmp_path), "--device", "cpu", "--batch", "4", "--out"]
        command.append(str(tmp_path / "runs"))
        terminals.append(Terminal(size, command, root))
        return terminals[-1]

    yield start
    for one in terminals:
        one.close()


def test_browse_run_step_filter_look_closer_edit_the_prompt_quit_and_reopen(
    terminal: Callable[[tuple[int, int]], Terminal], tmp_path: Path, builtin_model: object
) -> None:
    it = terminal((80, 24))
    browse_run_and_step(it, tmp_path)
    it.press("F")
    it.sees(r"\[x\] all +2")
    it.press("Down", "Space", "Escape")
    it.sees(r"broken free +\d of 2")
    it.press("t")
    it.sees(r"token 0 of \d+")
    it.press("Right")
    it.sees(r"token 1 of \d+")
    it.press("Escape")
    it.sees("fork at token")
    it.press("e")
    it.sees(r"naive, edited: naive\*2")
    it.press("End", "Space", "JSON:")
    it.sees(r"\{input\} JSON:")
    it.press("F5")
    tried = it.sees(r"naive\*2 - naive|naive\*2.*fixed")
    assert "newly broken" in tried
    it.press("Escape")  # the filter, then the screen: one at a time, for two at once would be one key of the terminal
    it.sees_no_more("esc clears")
    it.sees_no_more(r"trial of naive\*2")
    it.sees("2 of 2 jobs")
    it.press("Escape")
    it.sees("1 prompts")
    it.press("q")
    it.sees("exit status 0")
    again = terminal((80, 24))
    again.sees("1 x 2 cases")
    again.press("o")
    again.sees(r"ok finished +2/2")
    again.press("Enter")
    again.sees(r"naive\*2")


def test_browse_run_step_and_quit_in_the_middle_which_asks_first_and_keeps_what_is_finished(
    terminal: Callable[[tuple[int, int]], Terminal], tmp_path: Path, builtin_model: object
) -> None:
    it = terminal((120, 40))
    (first,) = browse_run_and_step(it, tmp_path)
    it.press("Escape")
    it.sees("1 prompts")
    cases = numbered_cases(300)
    write_suite(tmp_path, name="small", cases=cases)
    it.press("F5")
    it.sees("1 x 300 cases")
    it.press("r")
    it.sees(r"[1-9]\d*/300 jobs")
    it.press("q")
    it.sees("A run is in progress")
    it.press("Enter")  # the answer that has the focus is the safe one
    it.sees(r"running +\d")
    it.press("q")
    it.sees("A run is in progress")
    it.press("y")
    it.sees("exit status 0")
    (folder,) = {*(tmp_path / "runs").iterdir()} - {first}
    manifest = json.loads((folder / "run.json").read_text())
    records = (folder / "records.jsonl").read_text().splitlines()
    assert manifest["stopped"] is True
    assert 0 < manifest["done"] == len(records) < 300
    assert all(json.loads(line)["free"]["text"] for line in records)


def browse_run_and_step(it: Terminal, folder: Path) -> list[Path]:
    """From the start to the first broken job of a finished run; the folders of runs."""
    first = it.sees("Extract the name and age")
    assert "small" in first
    assert "1 x 2 cases" in first
    it.press("3")
    it.sees("My name is Alice")
    it.press("r")
    it.sees("loading|starting")
    done = it.sees("2 of 2 jobs")
    assert "FREE" in done
    assert "CONSTRAINED" in done
    it.press("n")
    broken = it.sees(r"> !!.*(alice|bob)")
    assert "Valid JSON that satisfies the schema" in broken, "the constrained reply's verdict"
    assert re.search(r"fork at token \d+: wanted", broken)
    (run,) = (folder / "runs").iterdir()
    shown = [
        json.loads(line)["free"]["verdict"]["classes"][0] for line in (run / "records.jsonl").read_text().splitlines()
    ]
    assert any(f"!! {name}" in broken for name in shown), shown
    it.press("?")
    it.sees(r"(?s)─ Help ─.*to the next broken")
    it.press("Escape")
    it.sees_no_more("─ Help ─")
    return [run]
