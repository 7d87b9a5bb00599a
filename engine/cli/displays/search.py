"""A search without the interface: a live leaderboard on stderr, the winner's [[prompt]] block on stdout."""

from __future__ import annotations

import sys
from itertools import islice

from rich.box import ASCII2
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from engine.cli.displays.run import open_console, ready_words, stop_on_interrupt
from engine.protocol import events
from engine.protocol.commands import StartSearch
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


def search_headless(order: StartSearch, options: EngineOptions, plain: bool) -> bool:
    """Search and print what was found; False when the user ended it early. Raises BadInputError and EngineError."""
    plan_search(load_suite(order.suite), order.budget)  # faults are told before the slow imports
    prepare(options.out)
    plain = plain or not sys.stderr.isatty()
    display = _Lines(open_console(plain)) if plain else _Board(open_console(plain))
    with display:
        session = open_session(options, display.tell)
        control = Control()
        with stop_on_interrupt(control, lambda: display.started is not None):
            session.search(order, control)
    display.sum_up(plain)
    assert display.finished is not None
    if display.finished.found is None:
        return False
    sys.stdout.buffer.write(display.finished.found.block.encode())  # UTF-8, whatever the terminal's locale is
    return True


class _Display:
    """What both ways of showing a search have in common: they keep where it stands and say how it ended."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started: events.SearchStarted | None = None
        self.board: events.Leaderboard | None = None
        self.progress: events.Progress | None = None
        self.finished: events.SearchFinished | None = None

    def __enter__(self) -> _Display:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to put back."""

    def tell(self, event: events.Event) -> None:
        """Take in one event of the engine."""
        match event:
            case events.ModelReady():
                self._say(ready_words(event))
            case events.SearchStarted():
                self.started = event
                for remark in event.remarks:
                    self._say(f"Note: {remark}")
            case events.Remark(message=message):
                self._say(f"Note: {message}")
            case events.Leaderboard():
                self.board = event
            case events.Progress():
                self.progress = event
            case events.SearchFinished():
                self.finished = event

    def sum_up(self, plain: bool) -> None:
        """The last leaderboard, then the findings, or how far it came."""
        assert self.started is not None
        assert self.finished is not None
        if self.board is not None:
            self._say(_TITLE)
            self.console.print(_table(self.board, _SHOWN_AT_END, plain, fold=True))
        if self.finished.found is None:
            self._say(
                f"Stopped after {self.finished.done} of {self.started.jobs} jobs: "
                "no prompt was judged on cases that it was not chosen on, so there is no figure to report."
            )
        else:
            self._report(self.finished.found)
        self._say(f"Saved in {self.finished.folder}")

    def _report(self, found: events.Found) -> None:
        for sentence in [*sentences(found), failures_heading(found)]:
            self._say(sentence)
        for failure in found.failures:
            self._say(f"  {failure.case}  {failure.failure}: {failure.sentence}")

    def _say(self, text: str) -> None:
        self.console.print(Text(printable(text)))


class _Lines(_Display):
    """A line for each step and each candidate of a closed round: for logs, pipes and screen readers."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._step = ""

    def tell(self, event: events.Event) -> None:
        before = self.board
        super().tell(event)
        match event:
            case events.Loading(step=step) if step != self._step:
                self._step = step
                self._say(f"{step} ...")
            case events.SearchStarted():
                self._say(_outline(event))
            case events.Leaderboard(round=number) if before is not None and before.round != number:
                self._say(f"After round {before.round}: {_best(event)}")


class _Board(_Display):
    """A leaderboard that is drawn anew as replies come."""

    def __enter__(self) -> _Board:
        self._live = Live(console=self.console, transient=True, auto_refresh=False)
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def tell(self, event: events.Event) -> None:
        super().tell(event)
        match event:
            case events.Loading(step=step):
                self._live.update(Text(f"{step} ..."), refresh=True)
            case events.Leaderboard() | events.Progress():
                self._live.update(self._picture(), refresh=True)

    def _picture(self) -> RenderableType:
        if self.started is None or self.board is None:
            return Text("")
        rows = max(1, self.console.height - _OTHER_LINES)
        how_far = self._how_far(self.started, self.board)
        return Group(Text(_TITLE), _table(self.board, rows, plain=False, fold=False), Text(how_far))

    def _how_far(self, started: events.SearchStarted, board: events.Leaderboard) -> str:
        stage = "held-out cases" if board.round is None else f"round {board.round} of {len(started.rounds)}"
        if self.progress is None:
            return stage
        now = self.progress
        return f"{stage}, {now.done}/{now.total} jobs, {now.tokens_per_second:.0f} tokens/s"


def _outline(started: events.SearchStarted) -> str:
    rounds = ", ".join(map(str, started.rounds))
    return (
        f"{started.candidates} prompts, the better half kept after {rounds} cases each; the last one and the yardstick "
        f"({started.yardstick}) on {started.held_out} other cases; at most {started.jobs} jobs"
    )


def _best(board: events.Leaderboard) -> str:
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
