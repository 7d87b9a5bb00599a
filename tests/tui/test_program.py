"""The program as it is started: arguments, exit codes, signals, in a pseudo-terminal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import story
from tests.tui.process.test_client import alive

START = """
import sys
from pathlib import Path
from tui.__main__ import prepare_terminal
prepare_terminal()
import tui.process.client
from tui.app import JsonbreakApp
tui.process.client.PATIENCE = tui.process.client.FORCE_AFTER = 2.0
app = JsonbreakApp(Path(sys.argv[1]), sys.argv[3:], Path(sys.argv[2]))
app.run()
sys.exit(app.return_code or 0)
"""

WHOLE = """
import sys
from pathlib import Path
from engine.worker.options import DecodingOptions, EngineOptions
from tui.__main__ import open_app
sys.executable = sys.argv[2]
sys.exit(open_app(Path(sys.argv[1]), EngineOptions(out=Path(sys.argv[3])), DecodingOptions()))
"""


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "tui", "no-such-folder"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "jsonbreak: no-such-folder: there is no such file or folder; name a folder with suites.\n"


def test_an_unknown_option() -> None:
    done = subprocess.run([sys.executable, "-m", "tui", "--modle", "x"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "No such option" in done.stderr


def test_a_batch_of_none() -> None:
    done = subprocess.run([sys.executable, "-m", "tui", "--batch", "0"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Invalid value for '--batch'" in done.stderr


def test_without_a_terminal_it_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "tui", str(tmp_path)], capture_output=True, text=True, input="")
    assert done.returncode == 2
    assert done.stderr.startswith("jsonbreak: the interface needs a terminal")


class Terminal:
    """A program in a pseudo-terminal of 80x24."""

    def __init__(self, command: list[str]) -> None:
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(command[0], command)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.set_blocking(self.fd, False)

    def read(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self.seen += os.read(self.fd, 1 << 20)

    def until(self, condition: Callable[[], Any], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.seen[-3000:]
            self.read()
            time.sleep(0.02)

    def sees(self, words: bytes) -> None:
        self.until(lambda: words in self.seen)

    def type(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def exit_code(self) -> int:
        status: list[int] = []

        def ended() -> bool:
            pid, code = os.waitpid(self.pid, os.WNOHANG)
            status.append(code)
            return pid != 0

        self.until(ended)
        self.read()
        return os.waitstatus_to_exitcode(status[-1])


def start_a_run(tmp_path: Path) -> tuple[Terminal, int]:
    """The program with a run on that does not end by itself; and its engine's process id."""
    steps = [{"do": "stderr", "text": "ENGINE"}, *story.people_run(hold="never")]
    suites = story.suite_folder(tmp_path / "suites")
    engine = story.command(steps, tmp_path)
    terminal = Terminal([sys.executable, "-c", START, str(suites), str(tmp_path / "log"), *engine])
    terminal.until(lambda: b"Extract the name" in terminal.seen)
    terminal.type(b"r")
    terminal.until(lambda: b"Sure, here" in terminal.seen)
    children = Path(f"/proc/{terminal.pid}/task/{terminal.pid}/children").read_text().split()
    assert len(children) == 1
    return terminal, int(children[0])


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_cleanly_and_the_engine_with_it(tmp_path: Path, number: signal.Signals) -> None:
    terminal, engine = start_a_run(tmp_path)
    os.kill(terminal.pid, number)
    assert terminal.exit_code() == 0
    assert b"\x1b[?1049l" in terminal.seen  # the alternate screen was left
    terminal.until(lambda: not alive(engine))


@pytest.mark.parametrize("how", ["SIGHUP", "l", "closed"])
def test_a_run_continues_without_the_interface(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """The real program, when its connection drops and when its user leaves the run. Only the engine is a script."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "home" / "jsonbreak").mkdir(parents=True)
    (tmp_path / "home" / "jsonbreak" / "settings.toml").write_text("keep_running = true\n")
    played = story.command([{"do": "keep_running"}, *story.people_run(hold="never")], tmp_path)
    engine = tmp_path / "engine"
    engine.write_text(
        f'#!/bin/sh\necho "$@" >"{tmp_path}/options"; echo $$ >"{tmp_path}/pid"\nexec {shlex.join(played)}\n'
    )
    engine.chmod(0o755)
    suites = story.suite_folder(tmp_path / "suites")
    terminal = Terminal([sys.executable, "-c", WHOLE, str(suites), str(engine), str(tmp_path / "runs")])
    terminal.until(lambda: b"Extract the name" in terminal.seen)
    terminal.type(b"r")
    terminal.until(lambda: b"Sure, here" in terminal.seen)
    assert "--keep-running" in (tmp_path / "options").read_text()
    process = int((tmp_path / "pid").read_text())
    try:
        if how == "SIGHUP":
            os.kill(terminal.pid, signal.SIGHUP)
        elif how == "closed":
            os.close(terminal.fd)
        else:
            terminal.type(b"q")
            terminal.until(lambda: b"Leave it (l)" in terminal.seen)
            terminal.type(b"l")
        assert terminal.exit_code() == 0
        assert alive(process)
        if how != "closed":
            _, left, said = terminal.seen.rpartition(b"\x1b[?1049l")
            assert left, "the alternate screen was left"
            words = f"the engine continues it (process {process}); start jsonbreak again to follow it or to stop it."
            assert words in said.decode()
            assert str(story.FOLDER) in said.decode()
        time.sleep(0.2)
        assert alive(process), "it has its own time"
        assert story.received(tmp_path)[-1]["type"] != "stop_run"
    finally:
        os.kill(process, signal.SIGKILL)


def test_suspended_and_woken_it_draws_everything(tmp_path: Path) -> None:
    suites = story.suite_folder(tmp_path / "suites")
    engine = story.command((), tmp_path)
    # A shell with job control, so that the program can be stopped and woken: an orphan is not stopped by the kernel.
    shell = 'set -m; "$@"; echo STOPPED; sleep 0.2; fg >/dev/null; exit 0'
    program = [sys.executable, "-c", START, str(suites), str(tmp_path / "log"), *engine]
    terminal = Terminal(["/bin/sh", "-c", shell, "sh", *program])
    terminal.until(lambda: b"Extract the name" in terminal.seen)
    terminal.seen = b""
    terminal.type(b"\x1a")
    terminal.until(lambda: b"STOPPED" in terminal.seen)
    before = terminal.seen.partition(b"STOPPED")[0]
    assert b"\x1b[?1049l\x1b[8h" in before, "the shell has its screen, and right-to-left text as it was"
    terminal.until(lambda: b"Extract the name" in terminal.seen.partition(b"STOPPED")[2])
    assert b"\x1b[8l\x1b[?1049h" in terminal.seen.partition(b"STOPPED")[2]
    terminal.type(b"q")
    assert terminal.exit_code() == 0


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_a_killed_interface_takes_its_engine_along(tmp_path: Path) -> None:
    terminal, engine = start_a_run(tmp_path)
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.until(lambda: not alive(engine))


@pytest.mark.parametrize("keys", [b"", b"qy"], ids=["while a run is on", "while it quits"])
def test_a_terminal_that_closes_leaves_nothing_behind(tmp_path: Path, keys: bytes) -> None:
    """The kernel sends SIGHUP and SIGCONT; an engine that takes its time to end must not hold them up."""
    deaf = "import signal, sys, time; signal.signal(15, signal.SIG_IGN); sys.stdin.readline(); print(); time.sleep(60)"
    suites = story.suite_folder(tmp_path / "suites")
    terminal = Terminal([sys.executable, "-c", START, str(suites), str(tmp_path / "log"), sys.executable, "-c", deaf])
    terminal.until(lambda: b"Extract the name" in terminal.seen)
    terminal.type(b"r")
    terminal.until(lambda: b"Getting ready" in terminal.seen)
    [engine] = map(int, Path(f"/proc/{terminal.pid}/task/{terminal.pid}/children").read_text().split())
    for key in keys.decode():
        terminal.type(key.encode())
        time.sleep(0.5)
        terminal.read()
    os.close(terminal.fd)
    assert terminal.exit_code() == 0
    assert not alive(engine)


def test_an_idle_screen_writes_nothing(tmp_path: Path) -> None:
    steps = story.people_run()
    suites = story.suite_folder(tmp_path / "suites")
    terminal = Terminal(
        [sys.executable, "-c", START, str(suites), str(tmp_path / "log"), *story.command(steps, tmp_path)]
    )
    terminal.until(lambda: b"Extract the name" in terminal.seen)
    terminal.type(b"r")
    terminal.until(lambda: b"finished" in terminal.seen)
    quiet = time.monotonic() + 1.0
    terminal.until(lambda: time.monotonic() > quiet)
    before = len(terminal.seen)
    quiet = time.monotonic() + 2.0
    terminal.until(lambda: time.monotonic() > quiet)
    assert len(terminal.seen) == before
    terminal.type(b"q")
    assert terminal.exit_code() == 0
