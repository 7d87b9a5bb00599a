"""`jsonbreak tune` without the interface: live loss and time left on stderr, the adapter's folder on stdout."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import click
from rich.console import Console
from typing_extensions import override

from engine.cli.displays.base import BarDisplay, Display, LinesDisplay, choose_display
from engine.errors import BadInputError, EngineError
from engine.protocol.events import Event, Failed
from engine.protocol.tune_events import Emit, TuneBegun, TuneEvent, TuneSaved, TuneStep, encode
from engine.runs.reading import RunFolder
from engine.training.orders import TuneOrder
from engine.training.planning import TunePlan, plan_tune
from engine.worker.start import pytorch_import


def tune_headless(run: RunFolder, order: TuneOrder, plain: bool) -> bool:
    """Tune and print progress; False when the user ended it early. Raises BadInputError and EngineError."""
    plan = plan_tune(run, order)
    display: _TuneDisplay = choose_display(plain, _Lines, _Bar)
    with display:
        finished = _tune(run, plan, order, display.emit)
    if not finished:
        display.print_line("Stopped: nothing was saved.")
        return False
    display.print_summary()
    click.echo(order.out)
    return True


def tune_in_lines(run: RunFolder, order: TuneOrder) -> bool:
    """As tune_headless, but each event is a line of JSON on stdout, an error too."""

    def emit(event: TuneEvent) -> None:
        sys.stdout.buffer.write(encode(event))
        sys.stdout.buffer.flush()

    try:
        return _tune(run, plan_tune(run, order), order, emit)
    except (BadInputError, EngineError) as error:
        emit(Failed(str(error), bad_input=isinstance(error, BadInputError)))
        return True


def _tune(run: RunFolder, plan: TunePlan, order: TuneOrder, emit: Emit) -> bool:
    """False when ctrl+c or SIGTERM ended it."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with pytorch_import(emit):
            from engine.training.tuning import tune

        tune(run, plan, order, emit)
    except KeyboardInterrupt:
        return False
    finally:
        signal.signal(signal.SIGTERM, before)
    return True


class _TuneDisplay(Display):
    """Says what is trained, and keeps how it ended for the summary."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._saved: TuneSaved | None = None

    @override
    def emit(self, event: Event | TuneEvent) -> None:
        super().emit(event)
        match event:
            case TuneBegun():
                self.print_line(_describe_begin(event))
            case TuneSaved():
                self._saved = event

    def print_summary(self) -> None:
        """Print how long it took, and the commands that come next."""
        assert self._saved is not None
        self.print_line(f"Trained in {self._saved.seconds:.0f} s. What comes next:")
        for command in self._saved.next:
            self.print_line(f"  {command}", wrap=False)


class _Lines(_TuneDisplay, LinesDisplay):
    """A line for each step."""

    @override
    def emit(self, event: Event | TuneEvent) -> None:
        super().emit(event)
        match event:
            case TuneStep():
                left = _format_time_left(event.seconds_left)
                self.print_line(f"step {event.step}/{event.steps}  loss {event.loss:.4f}  {left}")


class _Bar(_TuneDisplay, BarDisplay):
    """A bar over all steps, with the loss."""

    @override
    def emit(self, event: Event | TuneEvent) -> None:
        super().emit(event)
        match event:
            case TuneBegun(steps=steps):
                self.update_bar("training", 0, steps)
            case TuneStep():
                left = _format_time_left(event.seconds_left)
                self.update_bar(f"training, loss {event.loss:.4f}, {left}", event.step, event.steps)


def _describe_begin(event: TuneBegun) -> str:
    """What is trained on what."""
    held_out = f", {event.test_cases} held out for the test" if event.test_cases else ", none held out for the test"
    return f"{event.trainable:,} weights on {event.rows} rows of {event.train_cases} cases{held_out}"


def _format_time_left(seconds: float) -> str:
    """`1:05 left`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} left"
