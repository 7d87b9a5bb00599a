"""The child process: commands as JSON lines on stdin, events as JSON lines on stdout, everything else on stderr."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pydantic import ValidationError

from engine.control import Control
from engine.errors import BadInputError, EngineError
from engine.events import (
    GRACE,
    Cancel,
    Event,
    Failed,
    Pause,
    Prefer,
    RenderPrompt,
    RunStarted,
    SearchStarted,
    StartRun,
    StartSearch,
    StartTrial,
    StopRun,
    decode_command,
    encode,
)
from engine.start import open_session

if TYPE_CHECKING:
    from engine.session import Session

Order = StartRun | StartTrial | StartSearch


def serve(
    model: str | None, device: str, dtype: str, out: Path, *, keep_running: bool = False, log: Path | None = None
) -> None:
    """Do what is asked for until stdin closes, which it does when the parent goes.

    keep_running: finish what is on then, and only then end. log: the file that stderr goes to, for others to find.
    """
    emit = _Emitter(_private_stdout(), keep_running)
    desk = _Desk(emit, keep_running)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a connection that drops takes the interface with it, not the run
    _at_sigterm(desk.close)
    threading.Thread(target=desk.listen, daemon=True).start()
    try:
        session = open_session(model, device, dtype, out, emit, log)
        from engine.rendering import render_all  # imports transformers, which open_session has prepared for

        threading.Thread(target=render_all, args=(desk.prompts, model, emit), daemon=True).start()
        _work(session, desk, emit)
    except BaseException:
        # A fault of the program. The run it was at is closed by now; Python's own end would be an abort, since other
        # threads still wait for commands and hold what it takes apart.
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _work(session: Session, desk: _Desk, emit: _Emitter) -> None:
    """Carry out orders until there are to be no more, or nobody hears of it."""
    while (item := desk.orders.get()) is not None:
        order, control = item
        try:
            if isinstance(order, StartSearch):
                session.search(order, control)
            else:
                session.run(order, control)
        except BadInputError as error:
            emit(Failed(str(error), bad_input=True))
        except EngineError as error:
            emit(Failed(str(error)))
        emit.run_is_open = False
        desk.undone -= 1
        if not emit.heard:
            break


class _Desk:
    """Where commands come in. orders: what is to be done, each with its control; None ends the process.

    prompts: what is to be rendered meanwhile. undone: how many orders are not done yet.
    """

    def __init__(self, emit: _Emitter, keep_running: bool) -> None:
        self._emit, self._keep_running = emit, keep_running
        self._control = Control()
        self.prompts: queue.SimpleQueue[RenderPrompt] = queue.SimpleQueue()
        self.orders: queue.SimpleQueue[tuple[Order, Control] | None] = queue.SimpleQueue()
        self.undone = 0

    def listen(self) -> None:
        """Read commands, in a thread of its own, so that a pause is heard in the middle of a run."""
        for line in _private_stdin():
            try:
                self._take(decode_command(line))
            except ValidationError as error:
                message = error.errors()[0]["msg"]
                self._emit(Failed(f"The engine was sent a line it does not know: {message}."))
        if self._keep_running and self.undone:
            self._control.pause(False)  # nobody is left who could let it go on
            self.orders.put(None)
        else:
            self.close()

    def _take(self, command: object) -> None:
        match command:
            case StartRun() | StartTrial() | StartSearch():
                self._control = Control()
                self.undone += 1
                self.orders.put((command, self._control))
            case Pause(paused=paused):
                self._control.pause(paused)
            case RenderPrompt():
                self.prompts.put(command)
            case StopRun():
                self._control.stop()
            case Prefer() | Cancel():
                self._control.wish(command)

    def close(self) -> None:
        """End the run that is on, if there is one, and then the process."""
        if not self._emit.run_is_open:
            os._exit(0)  # there is nothing to close, and a model that loads would be loaded for nobody
        self._control.stop()
        self.orders.put(None)
        timer = threading.Timer(GRACE, os._exit, args=(1,))
        timer.daemon = True
        timer.start()


class _Emitter:
    """Writes events, one line each, from any thread. When nobody reads any more the process ends, or works unheard."""

    def __init__(self, stream: BinaryIO, keep_running: bool) -> None:
        self._stream, self._lock, self._keep_running = stream, threading.Lock(), keep_running
        self.heard = True
        self.run_is_open = False

    def __call__(self, event: Event) -> None:
        self.run_is_open |= isinstance(event, RunStarted | SearchStarted)
        if not self.heard:
            return
        try:
            with self._lock:
                self._stream.write(encode(event))
                self._stream.flush()
        except BrokenPipeError:
            self.heard = False
            if not self._keep_running:
                os._exit(1)  # every finished record is on disk; there is nobody left to tell


def _at_sigterm(act: Callable[[], None]) -> None:
    """Act in a thread of its own: a handler would wait for PyTorch to return, and might hold the lock it waits for."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGTERM, lambda number, frame: None)

    def listen() -> None:
        while signal.SIGTERM not in os.read(reading, 1):
            pass
        act()

    threading.Thread(target=listen, daemon=True).start()


def _private_stdin() -> BinaryIO:
    """Python's own would be closed at the end of the process, which fails while a thread waits for a line of it."""
    return os.fdopen(os.dup(0), "rb")


def _private_stdout() -> BinaryIO:
    """Keep the real stdout for events; whatever a library prints goes to stderr, which is the log."""
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return events
