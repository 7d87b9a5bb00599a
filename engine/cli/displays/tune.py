"""`jsonbreak tune` without the interface: live loss and time left on stderr, the adapter's folder on stdout."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from engine.cli.displays.run import open_console, ready_words
from engine.errors import BadInputError, EngineError
from engine.protocol.events import Failed, Loading, ModelReady, Remark
from engine.protocol.tune_events import Tell, TuneBegun, TuneEvent, TuneSaved, TuneStep, encode
from engine.runs.reading import RunFolder
from engine.text import printable
from engine.training.orders import TuneOrder
from engine.training.planning import Plan, plan_tune
from engine.worker.start import start_pytorch


def tune_headless(run: RunFolder, order: TuneOrder, plain: bool) -> bool:
    """Tune, and tell of it; False when the user ended it early. Raises BadInputError and EngineError."""
    plan = plan_tune(run, order)
    plain = plain or not sys.stderr.isatty()
    console = open_console(plain)
    display = _Lines(console) if plain else _Bar(console)
    with display:
        whole = _tune(run, plan, order, display.tell)
    if not whole:
        console.print("Stopped: nothing was saved.")
        return False
    assert display.saved is not None
    console.print(Text(f"Trained in {display.saved.seconds:.0f} s. What comes next:"))
    for command in display.saved.next:
        console.print(Text(f"  {printable(command)}"), soft_wrap=True)
    click.echo(order.out)
    return True


def tune_in_lines(run: RunFolder, order: TuneOrder) -> bool:
    """As tune_headless, each event as a line of JSON on stdout; what went wrong is one of them."""

    def tell(event: TuneEvent) -> None:
        sys.stdout.buffer.write(encode(event))
        sys.stdout.buffer.flush()

    try:
        return _tune(run, plan_tune(run, order), order, tell)
    except (BadInputError, EngineError) as error:
        tell(Failed(str(error), bad_input=isinstance(error, BadInputError)))
        return True


def _tune(run: RunFolder, plan: Plan, order: TuneOrder, tell: Tell) -> bool:
    """False where ctrl+c or SIGTERM ended it."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        start_pytorch(tell)
        from engine.training.tuning import tune

        tune(run, plan, order, tell)
    except KeyboardInterrupt:
        return False
    finally:
        signal.signal(signal.SIGTERM, before)
    return True


class _Display:
    """What both ways of showing a tune have in common."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.saved: TuneSaved | None = None

    def __enter__(self) -> _Display:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to put back."""

    def tell(self, event: TuneEvent) -> None:
        """Take in one event."""
        match event:
            case ModelReady():
                self.console.print(Text(ready_words(event)))
            case Remark(message=message):
                self.console.print(Text(f"Note: {printable(message)}"))
            case TuneBegun():
                self.console.print(Text(begun_words(event)))
            case TuneSaved():
                self.saved = event


class _Lines(_Display):
    """One line a step: for logs, pipes and screen readers."""

    _step = ""

    def tell(self, event: TuneEvent) -> None:
        super().tell(event)
        match event:
            case Loading(step=step) if step != self._step:
                self._step = step
                self.console.print(Text(f"{step} ..."))
            case TuneStep():
                words = f"step {event.step}/{event.steps}  loss {event.loss:.4f}  {left_words(event.seconds_left)}"
                self.console.print(Text(words))


class _Bar(_Display):
    """A progress bar."""

    def __enter__(self) -> _Display:
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        self._progress = Progress(*columns, console=self.console, transient=True)
        self._task = self._progress.add_task("", total=None)
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def tell(self, event: TuneEvent) -> None:
        super().tell(event)
        match event:
            case Loading(step=step, done=done, total=total):
                self._progress.update(self._task, description=step, completed=done or 0, total=total)
            case TuneBegun(steps=steps):
                self._progress.update(self._task, description="training", completed=0, total=steps)
            case TuneStep():
                words = f"training, loss {event.loss:.4f}, {left_words(event.seconds_left)}"
                self._progress.update(self._task, description=words, completed=event.step)


def begun_words(event: TuneBegun) -> str:
    """What is trained on what."""
    held = f", {event.test_cases} are kept for the test" if event.test_cases else ", none is kept for the test"
    return f"{event.trainable:,} weights on {event.rows} rows of {event.train_cases} cases{held}"


def left_words(seconds: float) -> str:
    """`1:05 left`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} left"
