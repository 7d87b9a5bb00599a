from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bench.interface import starting
from tests.bench.interface.answers import row
from tests.bench.interface.engine import Plan
from tests.bench.interface.figures import Figure, percentiles, table
from tests.bench.interface.program import command
from tests.bench.interface.terminal import NeverSeenError, opened, processor_seconds


def test_the_real_program_streams_from_an_engine_and_answers_a_key(tmp_path: Path) -> None:
    with opened(command(Plan(jobs=30, finished=8, streaming=2, rate=200), tmp_path), (120, 40)) as terminal:
        terminal.sees(b"naive")
        terminal.type(b"r")
        terminal.sees(b"employer")
        terminal.type(b"g")
        before = terminal.written
        terminal.type(b"n")
        terminal.sees(row(7), before)
        assert processor_seconds(terminal.pid) > 0


def test_a_link_lets_through_so_many_bytes_a_second() -> None:
    program = [
        sys.executable,
        "-c",
        "print('ready', flush=True); input(); print('x' * 600, 'end', flush=True); input()",
    ]
    with opened(program, (80, 24)) as terminal:
        terminal.sees(b"ready")
        terminal.link = 2_000
        begun = terminal.last
        terminal.type(b"\n")
        assert terminal.sees(b"end") - begun > 0.2


def test_questions_are_answered_by_terminals_that_do() -> None:
    asks = ["sh", "-c", "stty raw -echo; printf '\\033[?2026$p'; head -c 11 | od -c"]
    with opened(asks, (80, 24)) as terminal:
        terminal.sees(rb"2 +0 +2 +6 +; +2 +\$ +y")
    with opened(asks, (80, 24), answers=False) as terminal, pytest.raises(NeverSeenError):
        terminal.sees(b"2 +0 +2 +6", seconds=0.3)


def test_a_table_says_what_is_missed() -> None:
    figures = [Figure("a", 3, "ms", 5), Figure("b", 7, "ms", 5), *percentiles("c", [0.01] * 99 + [0.2], 50)]
    assert table(figures).splitlines()[2:] == [
        "| a | 3 ms | at most 5 ms | yes |",
        "| b | 7 ms | at most 5 ms | NO |",
        "| c, p50 of 100 | 10 ms |  |  |",
        "| c, p95 of 100 | 10 ms | at most 50 ms | yes |",
        "| c, p99 of 100 | 12 ms |  |  |",
    ]


def test_imports_are_listed_by_package() -> None:
    spent = starting.import_seconds()
    assert spent["textual"] > spent["tui"] > 0
    assert "pydantic" not in spent
