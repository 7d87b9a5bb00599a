"""A search without the interface: a live leaderboard on stderr, the winner's [[prompt]] block on stdout."""

from __future__ import annotations

import sys
from itertools import islice
from typing import Self

from rich.box import ASCII2
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from engine.cli.displays.base import Display, LinesDisplay, choose_display, stop_on_interrupt
from engine.protocol import events
from engine.protocol.commands import StartSearch
from engine.protocol.tune_events import TuneEvent
from engine.running.control import Control
from engine.runs.store import prepare
from engine.search.planning import plan_search
from engine.search.wording import LEGEND, MARKS, failures_heading, place, sentences
from engine.suites.suite import load_suite
from engine.text import printable
from engine.worker.options import EngineOptions
from engine.worker.start import open_session

_SHOWN_AT_END = 20  # candidates; all of them are in search.json
_OTHER_LINES = 6  # of the live display: title, head, "and more", progress, and one to spare
_TITLE = f"How the prompts do on the cases that they are chosen by; {LEGEND}."


def search_headless(start: StartSearch, options: EngineOptions, plain: bool) -> bool:
    """Search and print the result; False when the user ended it early. Raises BadInputError and EngineError."""
    plan_search(load_suite(start.suite), start.budget)  # reports errors before the slow imports
    prepare(options.out)
    display: _SearchDisplay = choose_display(plain, _Lines, _Board)
    with display:
        session = open_session(options, display.emit)
        control = Control()
        with stop_on_interrupt(control, lambda: display.started is not None):
            session.search(start, control)
    findings = display.print_summary()
    if findings is None:
        return False
    sys.stdout.buffer.write(findings.block.encode())  # UTF-8, whatever the terminal's locale is
    return True


class _SearchDisplay(Display):
    """Keeps the leaderboard, and how the search ended for the summary."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.started: events.SearchStarted | None = None
        self._board: events.Leaderboard | None = None
        self._progress: events.Progress | None = None
        self._finished: events.SearchFinished | None = None

    @override
    def emit(self, event: events.Event | TuneEvent) -> None:
        super().emit(event)
        match event:
            case events.SearchStarted():
                self.started = event
                for remark in event.remarks:
                    self.print_note(remark)
            case events.Leaderboard():
                self._board = event
            case events.Progress():
                self._progress = event
            case events.SearchFinished():
                self._finished = event

    def print_summary(self) -> events.Found | None:
        """Print the last leaderboard, then the findings or how far it came. Returns the findings."""
        started, finished = self.started, self._finished
        assert started is not None
        assert finished is not None
        if self._board is not None:
            self.print_line(_TITLE)
            self.console.print(_table(self._board, _SHOWN_AT_END, self.plain, fold=True))
        if finished.found is None:
            self.print_line(
                f"Stopped after {finished.done} of {started.jobs} jobs: "
                "no prompt was judged on cases that it was not chosen on, so there is no figure to report."
            )
        else:
            for sentence in [*sentences(finished.found), failures_heading(finished.found)]:
                self.print_line(sentence)
            for failure in finished.found.failures:
                self.print_line(f"  {failure.case}  {failure.failure}: {failure.sentence}")
        self.print_line(f"Saved in {finished.folder}")
        return finished.found


class _Lines(_SearchDisplay, LinesDisplay):
    """A line for each finished round."""

    @override
    def emit(self, event: events.Event | TuneEvent) -> None:
        before = self._board
        super().emit(event)
        match event:
            case events.SearchStarted():
                self.print_line(_describe_plan(event))
            case events.Leaderboard(round=number) if before is not None and before.round != number:
                self.print_line(f"After round {before.round}: {_format_remaining(event)}")


class _Board(_SearchDisplay):
    """A leaderboard that is drawn anew as replies come."""

    @override
    def __enter__(self) -> Self:
        self._live = Live(console=self.console, transient=True, auto_refresh=False)
        self._live.start()
        return self

    @override
    def __exit__(self, *error: object) -> None:
        self._live.stop()

    @override
    def emit(self, event: events.Event | TuneEvent) -> None:
        super().emit(event)
        match event:
            case events.Loading(step=step):
                self._live.update(Text(f"{step} ..."), refresh=True)
            case events.Leaderboard() | events.Progress():
                self._live.update(self._picture(), refresh=True)

    def _picture(self) -> RenderableType:
        if self.started is None or self._board is None:
            return Text("")
        rows = max(1, self.console.height - _OTHER_LINES)
        table = _table(self._board, rows, plain=False, fold=False)
        return Group(Text(_TITLE), table, Text(self._format_progress(self.started, self._board)))

    def _format_progress(self, started: events.SearchStarted, board: events.Leaderboard) -> str:
        stage = "held-out cases" if board.round is None else f"round {board.round} of {len(started.rounds)}"
        if self._progress is None:
            return stage
        now = self._progress
        return f"{stage}, {now.done}/{now.total} jobs, {now.tokens_per_second:.0f} tokens/s"


def _describe_plan(started: events.SearchStarted) -> str:
    rounds = ", ".join(map(str, started.rounds))
    return (
        f"{started.candidates} prompts, the better half kept after {rounds} cases each; the last one and the baseline "
        f"({started.yardstick}) on {started.held_out} other cases; at most {started.jobs} jobs"
    )


def _format_remaining(board: events.Leaderboard) -> str:
    """The candidates that are left, best first."""
    left = [each for each in board.standings if each.state != "dropped"]
    return ", ".join(f"{each.prompt} {each.k}/{each.n}" for each in left)


def _table(board: events.Leaderboard, rows: int, plain: bool, fold: bool) -> Table:
    """The leaderboard, narrow enough for 80 columns. fold: long names take two lines instead of being cut."""
    table = Table(box=ASCII2 if plain else None, padding=(0, 1, 0, 0))
    table.add_column("#", justify="right")
    table.add_column("prompt", overflow="fold" if fold else "ellipsis", no_wrap=not fold)
    for heading in ("ok", "95 %", "round", "state"):
        table.add_column(heading, no_wrap=True)
    for number, each in enumerate(islice(board.standings, rows), 1):
        share, interval = place(each)
        state = f"{MARKS[each.state]} {each.state}"
        table.add_row(str(number), Text(printable(each.prompt)), share, interval, str(each.round), state)
    if len(board.standings) > rows:
        table.add_row("", f"and {len(board.standings) - rows} more", "", "", "", "")
    return table
