"""A run without the interface: progress on stderr, a summary table, the run folder on stdout."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click
from rich.box import ASCII2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from engine.protocol import events
from engine.protocol.commands import StartRun
from engine.records import ARMS, Record, Reply
from engine.running.control import Control
from engine.runs.rates import rates_by_prompt
from engine.runs.store import prepare
from engine.statistics import Share, wilson_interval
from engine.suites.jobs import jobs_of
from engine.suites.suite import load_suite
from engine.text import printable
from engine.worker.options import EngineOptions
from engine.worker.start import open_session

_PLAIN_WIDTH = 160  # a log has no edge to wrap at


def run_headless(orders: Sequence[StartRun], options: EngineOptions, plain: bool) -> bool:
    """Run a suite, once for each order, and print the results; False when the user ended it early.

    The orders differ in the adapter only; all adapters are loaded on one model. Raises BadInputError and EngineError.
    """
    first = orders[0]
    jobs_of(load_suite(first.suite), first.prompts, first.cases, first.limit)  # faults are told before the slow imports
    prepare(options.out)
    plain = plain or not sys.stderr.isatty()
    console = open_console(plain)
    display = _Lines(console) if plain else _Bar(console)
    with display:
        session = open_session(options, display.tell)
    folders = []
    for order in orders:
        display.begin()
        with display:
            control = Control()
            with stop_on_interrupt(control, lambda: display.started):
                session.run(order, control)
        finished = _sum_up(display, plain)
        click.echo(finished.folder)
        if finished.stopped:
            return False
        folders.append(str(finished.folder))
    if len(folders) > 1:
        console.print(Text(f"Compare them: jsonbreak compare {shlex.join(folders)}"), soft_wrap=True)
    return True


def _sum_up(display: _Display, plain: bool) -> events.RunFinished:
    """Print the rates of a run, and how it ended."""
    finished, console = display.finished, display.console
    assert finished is not None
    console.print(_summary(display.records, plain))
    if display.constrained_error:
        console.print(Text(f"No constrained arm: {display.constrained_error}"))
    if finished.stopped:
        console.print(f"Stopped after {finished.done} of {finished.total} jobs.")
    return finished


def open_console(plain: bool) -> Console:
    """What is told goes to stderr; plain: without colour, and in lines as long as they come."""
    return Console(stderr=True, no_color=plain or None, highlight=False, width=_PLAIN_WIDTH if plain else None)


@contextmanager
def stop_on_interrupt(control: Control, started: Callable[[], bool]) -> Iterator[None]:
    """The first ctrl+c or SIGTERM ends the run and keeps what is finished; before it, or the second, ends all."""

    def stop(signum: int, frame: object) -> None:
        if control.stopped.is_set() or not started():
            raise KeyboardInterrupt
        control.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Display:
    """What both ways of showing a run have in common: they keep the records and know how it ended."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.begin()

    def begin(self) -> None:
        """Forget the run before."""
        self.records: list[Record] = []
        self.started = False
        self.constrained_error: str | None = None
        self.finished: events.RunFinished | None = None

    def __enter__(self) -> _Display:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to put back."""

    def tell(self, event: events.Event) -> None:
        """Take in one event of the engine."""
        match event:
            case events.RunStarted():
                self.started, self.constrained_error = True, event.constrained_error
                if event.adapter is not None:
                    self.console.print(Text(f"With the adapter {printable(event.adapter)}:"))
                for remark in event.remarks:
                    self._remark(remark)
            case events.Remark(message=message):
                self._remark(message)
            case events.JobFinished(record=record):
                self.records.append(record)
            case events.RunFinished():
                self.finished = event

    def _remark(self, sentence: str) -> None:
        self.console.print(Text(f"Note: {printable(sentence)}"))


class _Lines(_Display):
    """One line a step and a finished job: for logs, pipes and screen readers."""

    _step = ""

    def tell(self, event: events.Event) -> None:
        super().tell(event)
        match event:
            case events.Loading(step=step) if step != self._step:
                self._step = step
                self.console.print(Text(f"{step} ..."))
            case events.ModelReady():
                self.console.print(Text(ready_words(event)))
            case events.JobFinished(record=record):
                words = "  ".join(f"{arm}: {_word(record.reply(arm))}" for arm in ARMS)
                self.console.print(Text(f"{record.id}  {words}"))


class _Bar(_Display):
    """A progress bar."""

    def __enter__(self) -> _Display:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=self.console, transient=True)
        self._task = self._progress.add_task("", total=None)
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def tell(self, event: events.Event) -> None:
        super().tell(event)
        match event:
            case events.Loading(step=step, done=done, total=total):
                self._progress.update(self._task, description=step, completed=done or 0, total=total)
            case events.ModelReady():
                self.console.print(Text(ready_words(event)))
            case events.RunStarted(jobs=jobs):
                self._progress.update(self._task, description="decoding", completed=0, total=len(jobs))
            case events.Progress():
                speed = f"decoding, {event.tokens_per_second:.0f} tokens/s"
                self._progress.update(self._task, description=speed, completed=event.done, total=event.total)


def ready_words(event: events.ModelReady) -> str:
    """That the model is ready, and where."""
    return f"{event.model} on {event.device}, {event.dtype}, ready in {event.seconds:.1f} s"


def _word(reply: Reply) -> str:
    return reply.verdict.classes[0] if reply.verdict else "error"


def _summary(records: list[Record], plain: bool) -> Table:
    """Rates by prompt and arm: count, share and Wilson 95 % interval, narrow enough for 80 columns."""
    title = "replies: count, share, 95 % interval"
    table = Table(box=ASCII2 if plain else None, title=title, title_justify="left", padding=(0, 1, 0, 0))
    table.add_column("prompt", overflow="fold")
    for heading in ("arm", "strict JSON", "schema", "right values"):
        table.add_column(heading, no_wrap=True)
    for (prompt, arm), rates in rates_by_prompt(records).items():
        error = f"{rates.errors} not decoded" if rates.errors else ""
        shares = [_share(share) for share in (rates.strict, rates.schema, rates.right)]
        table.add_row(Text(prompt), arm, *(shares if rates.strict.n else [error, "", ""]))
    return table


def _share(share: Share) -> str:
    if not share.n:
        return "-"
    low, high = wilson_interval(share)
    return f"{share.k}/{share.n} {share.k / share.n:.0%} {low * 100:.0f}-{high:.0%}"
