"""The progress of a run while it is running, on one line, and the rates of its arms, on a line each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from engine.records import ARMS
from engine.runs.rates import ArmRates
from engine.statistics import Share
from tui.state.intervals import format_interval, format_share, interval, load
from tui.state.run import RunState
from tui.state.task import EngineTask, Phase
from tui.text.safe import fit, shorten

LABEL_CELLS = 11  # "constrained"
_SHORT_LABEL = 7
_RATES = ("strict", "schema", "right")
_FORMS = [
    (LABEL_CELLS, True, _RATES),
    (LABEL_CELLS, False, _RATES),
    (_SHORT_LABEL, False, _RATES),
    (_SHORT_LABEL, False, ("strict", "right")),
]
"""From the most detailed: the cells of the label, whether each rate has its k of n, the rates shown."""

_BAR_CELLS_MIN = 8


class StatusLine(Static):
    """Redrawn only when its text changes."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._drawn = ""
        self._shown: tuple[RunState, float] | None = None
        self._pace: Pace | None = None
        self._loading = False  # scipy, for the intervals

    def on_resize(self) -> None:
        """Choose the form that fits the new width."""
        if self._shown is not None:
            self.show(*self._shown)

    def show(self, state: RunState, elapsed: float) -> None:
        """Draw the state; `elapsed` is the time since the run was requested, in seconds."""
        self._shown = (state, elapsed)
        if self._pace is None or self._pace.state is not state:
            self._pace = Pace(state)
        if state.done and not self._loading:  # now there are rates to give intervals of
            self._loading = True
            self.run_worker(self._load())
        width = self.size.width
        lines = rates_lines(state, width)
        if state.phase not in (Phase.FINISHED, Phase.STOPPED):  # then the notice has the line
            lines.insert(0, progress_line(state, elapsed, self._pace.left(), width))
        text = "\n".join(shorten(line, width) for line in lines)
        if text != self._drawn:
            self._drawn = text
            self.update(Content(text))

    async def _load(self) -> None:
        await asyncio.to_thread(load)
        self.on_resize()


@dataclass(slots=True)
class Pace:
    """The speed of a run, from the first look on: a resumed run has jobs finished from the start."""

    state: RunState
    _first: tuple[int, float] | None = None

    def left(self) -> float | None:
        """The estimated seconds until the run is finished; None while there is nothing to estimate by."""
        state = self.state
        if state.progress is None or state.over or state.paused:
            return None
        now = (state.done, state.progress.seconds)
        if self._first is None:
            self._first = now
        done, seconds = now[0] - self._first[0], now[1] - self._first[1]
        return (state.total - state.done) * seconds / done if done and seconds > 0 else None


def progress_line(state: RunState, elapsed: float, left: float | None, width: int) -> str:
    """The bar, jobs done, time left, tokens per second, jobs in flight; then the phase. What does not fit is left out.

    left: the estimated seconds until it is finished, if known.
    """
    phase = format_phase(state, elapsed)
    words = progress_parts(state, left)
    while words and cell_len("  ".join([*words, phase])) > width:
        words.pop()
    line = "  ".join(words)
    room = width - cell_len(line) - cell_len(phase) - len("[]") - 4
    if state.total and room >= _BAR_CELLS_MIN:
        line = f"{bar(state.done, state.total, min(room, 40))}  {line}"
    return both_ends(line, phase, width)


def progress_parts(state: RunState, left: float | None) -> list[str]:
    """The progress of a run in parts, the most important first."""
    if not state.jobs:
        return []
    words = [f"{state.done}/{state.total} jobs"]
    if not state.over:
        words.append(f"{clock(left) if left is not None else '-'} left")
        if state.progress is not None:
            words.append(f"{state.progress.tokens_per_second:.0f} tok/s")
            words.append(f"{state.progress.in_flight} in flight")
    return words


def bar(done: int, total: int, cells: int) -> str:
    """`[####......]`: the share of the whole that is done."""
    filled = min(cells, cells * done // total)
    return f"[{'#' * filled}{'.' * (cells - filled)}]"


def rates_lines(state: RunState, width: int) -> list[str]:
    """The rates of both arms with their intervals, in the most detailed form that fits."""
    arms = list(zip(state.labels, ARMS, strict=True))
    lines: list[str] = []
    for label_cells, counts, shown in _FORMS:
        rows = [
            [fit(label, label_cells), *_cells(state.rates[arm], state.clusters[arm].design_effect, counts, shown)]
            for label, arm in arms
        ]
        for gap in (2, 1):
            lines = [line.rstrip() for line in _columns(rows, gap)]
            if max(map(cell_len, lines)) <= width:
                return lines
    return lines


def _cells(rates: ArmRates, design_effect: float, counts: bool, shown: tuple[str, ...]) -> Iterator[str]:
    """A cell for each rate. counts: with k of n in each, instead of one n for all."""
    shares = {"strict": rates.strict, "schema": rates.schema, "right": rates.right}
    for name in shown:
        share = shares[name]
        words = [name, *([f"{share.k}/{share.n}"] if counts else []), *_percent(share, design_effect)]
        if not counts and share.n != rates.strict.n:
            words.append(f"of {share.n}")
        yield " ".join(words)
    if not counts:
        yield f"n {rates.strict.n}"


def _percent(share: Share, design_effect: float) -> Iterator[str]:
    yield format_share(share.k / share.n) if share.n else "-"
    if percent := format_interval(interval(share, design_effect)):
        yield percent


def _columns(rows: list[list[str]], gap: int) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        label, *cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"{label}  {(' ' * gap).join(cells)}"


def format_phase(work: EngineTask, elapsed: float) -> str:
    """The phase of a task, and how long it has taken."""
    if work.seconds is not None:
        elapsed = work.seconds
    elif work.progress is not None:
        elapsed = work.progress.seconds
    word = "paused" if work.paused and work.phase is Phase.RUNNING else work.phase.value
    return f"{word}  {clock(elapsed)}"


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def both_ends(left: str, right: str, width: int) -> str:
    """A line with text at either end."""
    gap = width - cell_len(left) - cell_len(right)
    return left + " " * max(2, gap) + right
