"""What the displays of a run, a search and a tune have in common: a console on stderr, lines or a bar, ctrl+c."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn
from rich.text import Text
from typing_extensions import override

from engine.protocol.events import Event, Loading, ModelReady, Remark
from engine.protocol.tune_events import TuneEvent
from engine.running.control import Control
from engine.text import printable

_PLAIN_WIDTH = 160  # a log has no edge to wrap at


class Display:
    """Shows events on stderr. A context manager, so that live output ends before anything else is printed."""

    plain: ClassVar[bool] = False

    def __init__(self, console: Console) -> None:
        self.console = console

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def emit(self, event: Event | TuneEvent) -> None:
        """Show one event, and keep what the summary needs of it."""
        match event:
            case ModelReady():
                ready = f"{event.model} on {event.device}, {event.dtype}, ready in {event.seconds:.1f} s"
                self.print_line(ready)
            case Remark(message=message):
                self.print_note(message)

    def print_line(self, text: str, wrap: bool = True) -> None:
        """Print model text and names safely. wrap: False for what is copied from the terminal, such as a command."""
        self.console.print(Text(printable(text)), soft_wrap=not wrap)

    def print_note(self, sentence: str) -> None:
        """Print a remark that concerns the results."""
        self.print_line(f"Note: {sentence}")


class LinesDisplay(Display):
    """A line for each step: for logs, pipes and screen readers."""

    plain = True
    _step = ""

    @override
    def emit(self, event: Event | TuneEvent) -> None:
        super().emit(event)
        match event:
            case Loading(step=step) if step != self._step:
                self._step = step
                self.print_line(f"{step} ...")


class BarDisplay(Display):
    """A progress bar."""

    more_columns: ClassVar[tuple[ProgressColumn, ...]] = ()

    @override
    def __enter__(self) -> Self:
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        self._progress = Progress(*columns, *self.more_columns, console=self.console, transient=True)
        self._task = self._progress.add_task("", total=None)
        self._progress.start()
        return self

    @override
    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    @override
    def emit(self, event: Event | TuneEvent) -> None:
        super().emit(event)
        match event:
            case Loading(step=step, done=done, total=total):
                self.update_bar(step, done or 0, total)

    def update_bar(self, description: str, done: int, total: int | None) -> None:
        """Draw the bar anew. total: None while it is unknown."""
        self._progress.update(self._task, description=description, completed=done, total=total)


DisplayT = TypeVar("DisplayT", bound=Display)


def choose_display(plain: bool, lines: Callable[[Console], DisplayT], live: Callable[[Console], DisplayT]) -> DisplayT:
    """Lines where the user asks for them or stderr is no terminal, else the live display."""
    plain = plain or not sys.stderr.isatty()
    width = _PLAIN_WIDTH if plain else None
    return (lines if plain else live)(Console(stderr=True, no_color=plain or None, highlight=False, width=width))


@contextmanager
def stop_on_interrupt(control: Control, has_started: Callable[[], bool]) -> Iterator[None]:
    """The first ctrl+c or SIGTERM ends the run and keeps what is finished.

    One before the run has started, and the second, raise KeyboardInterrupt.
    """

    def stop(signum: int, frame: object) -> None:
        if control.stopped.is_set() or not has_started():
            raise KeyboardInterrupt
        control.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
