"""A run without the interface: progress on stderr, a summary table, the run folder on stdout."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import ClassVar

import click
from rich.box import ASCII2
from rich.console import Console
from rich.progress import ProgressColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from engine.cli.displays.base import BarDisplay, Display, LinesDisplay, choose_display, stop_on_interrupt
from engine.protocol import events
from engine.protocol.commands import StartRun
from engine.protocol.tune_events import TuneEvent
from engine.records import ARMS, Record, Reply
from engine.running.control import Control
from engine.runs.rates import rates_by_prompt
from engine.runs.store import prepare
from engine.statistics import Share, wilson_interval
from engine.suites.jobs import jobs_of
from engine.suites.suite import load_suite
from engine.worker.options import EngineOptions
from engine.worker.start import open_session


def run_headless(starts: Sequence[StartRun], options: EngineOptions, plain: bool) -> bool:
    """Run a suite, once for each command, and print the results; False when the user ended it early.

    The commands differ in the adapter only; all adapters are loaded on one model. Raises BadInputError and EngineError.
    """
    first = starts[0]
    jobs_of(load_suite(first.suite), first.prompts, first.cases, first.limit)  # reports errors before the slow imports
    prepare(options.out)
    display: _RunDisplay = choose_display(plain, _Lines, _Bar)
    with display:
        session = open_session(options, display.emit)
    folders = []
    for start in starts:
        display.reset()
        with display:
            control = Control()
            with stop_on_interrupt(control, lambda: display.started):
                session.run(start, control)
        finished = display.print_summary()
        click.echo(finished.folder)
        if finished.stopped:
            return False
        folders.append(str(finished.folder))
    if len(folders) > 1:
        display.print_line(f"Compare them: jsonbreak compare {shlex.join(folders)}", wrap=False)
    return True


class _RunDisplay(Display):
    """Keeps the records of a run and how it ended, for the summary."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.reset()

    def reset(self) -> None:
        """Forget the previous run."""
        self.started = False
        self._records: list[Record] = []
        self._constrained_error: str | None = None
        self._finished: events.RunFinished | None = None

    @override
    def emit(self, event: events.Event | TuneEvent) -> None:
        super().emit(event)
        match event:
            case events.RunStarted():
                self.started, self._constrained_error = True, event.constrained_error
                if event.adapter is not None:
                    self.print_line(f"With the adapter {event.adapter}:")
                for remark in event.remarks:
                    self.print_note(remark)
            case events.JobFinished(record=record):
                self._records.append(record)
            case events.RunFinished():
                self._finished = event

    def print_summary(self) -> events.RunFinished:
        """Print the rates of the run; returns how it ended."""
        finished = self._finished
        assert finished is not None
        self.console.print(_rates_table(self._records, self.plain))
        if self._constrained_error:
            self.print_line(f"No constrained arm: {self._constrained_error}")
        if finished.stopped:
            self.print_line(f"Stopped after {finished.done} of {finished.total} jobs.")
        return finished


class _Lines(_RunDisplay, LinesDisplay):
    """A line for each finished job."""

    @override
    def emit(self, event: events.Event | TuneEvent) -> None:
        super().emit(event)
        match event:
            case events.JobFinished(record=record):
                arms = "  ".join(f"{arm}: {_outcome(record.reply(arm))}" for arm in ARMS)
                self.print_line(f"{record.id}  {arms}")


class _Bar(_RunDisplay, BarDisplay):
    """A bar over all jobs, with the speed."""

    more_columns: ClassVar[tuple[ProgressColumn, ...]] = (TimeElapsedColumn(),)

    @override
    def emit(self, event: events.Event | TuneEvent) -> None:
        super().emit(event)
        match event:
            case events.RunStarted(jobs=jobs):
                self.update_bar("decoding", 0, len(jobs))
            case events.Progress():
                self.update_bar(f"decoding, {event.tokens_per_second:.0f} tokens/s", event.done, event.total)


def _outcome(reply: Reply) -> str:
    return reply.verdict.classes[0] if reply.verdict else "error"


def _rates_table(records: list[Record], plain: bool) -> Table:
    """Rates by prompt and arm: count, share and Wilson 95 % interval, narrow enough for 80 columns."""
    title = "replies: count, share, 95 % interval"
    table = Table(box=ASCII2 if plain else None, title=title, title_justify="left", padding=(0, 1, 0, 0))
    table.add_column("prompt", overflow="fold")
    for heading in ("arm", "strict JSON", "schema", "right values"):
        table.add_column(heading, no_wrap=True)
    for (prompt, arm), rates in rates_by_prompt(records).items():
        error = f"{rates.errors} not decoded" if rates.errors else ""
        shares = [_format_share(share) for share in (rates.strict, rates.schema, rates.right)]
        table.add_row(Text(prompt), arm, *(shares if rates.strict.n else [error, "", ""]))
    return table


def _format_share(share: Share) -> str:
    if not share.n:
        return "-"
    low, high = wilson_interval(share)
    return f"{share.k}/{share.n} {share.k / share.n:.0%} {low * 100:.0f}-{high:.0%}"
