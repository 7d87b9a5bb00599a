"""The program in a terminal that answers its queries, does not, or stops answering."""

from __future__ import annotations

from pathlib import Path

from tests.bench.interface.engine import Plan
from tests.bench.interface.program import command
from tests.bench.interface.terminal import opened

QUERY, ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
PLAN = Plan(jobs=30, finished=8, streaming=1, rate=200)


def test_what_streams_waits_for_the_terminal_keys_do_not_and_no_answer_is_left_for_the_shell(tmp_path: Path) -> None:
    shell = ["sh", "-c", '"$@"; stty raw; dd bs=100 count=1 2> /dev/null | od -c', "sh", *command(PLAN, tmp_path)]
    with opened(shell, (120, 40)) as terminal:
        terminal.sees(b"naive")
        terminal.type(b"r")
        terminal.sees(b"employer")
        terminal.answers = False
        terminal.rests(0.5, within=3)  # the engine keeps sending meanwhile
        drawn = terminal.written
        terminal.type(b"n")
        terminal.sees(rb"> [^\n]*c00000", drawn, seconds=2)
        terminal.answers = True
        terminal.type(ANSWER)
        terminal.sees(b"tok/s", terminal.written, seconds=2)
        terminal.link = 100_000
        terminal.type(b"q")
        terminal.sees(b"Stop")
        terminal.type(b"y")
        terminal.sees(rb"\x1b\[\?1049l")
        terminal.rests(0.3)
        terminal.type(b"z")
        terminal.sees(rb"0000000 +z *\r?\n")


def test_a_terminal_that_answers_nothing_is_asked_once_and_drawn_on_all_the_same(tmp_path: Path) -> None:
    with opened(command(PLAN, tmp_path), (80, 24), answers=False) as terminal:
        terminal.sees(b"naive")
        terminal.type(b"r")
        for words in (b"employer", b"occupation", b"employer"):
            terminal.sees(words, terminal.written, seconds=5)
        assert terminal.since(0).count(QUERY) == 1
