"""The child process: commands as JSON lines on stdin, events as JSON lines on stdout, everything else on stderr."""

from __future__ import annotations

import os
import queue
import sys
import threading
from pathlib import Path
from typing import BinaryIO

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
    RunStarted,
    SearchStarted,
    StartRun,
    StartSearch,
    StopRun,
    decode_command,
    encode,
)
from engine.start import open_session

Orders = queue.SimpleQueue[tuple[StartRun | StartSearch, Control] | None]


def serve(model: str | None, device: str, dtype: str, out: Path) -> None:
    """Run what is asked for until stdin closes, which it does when the parent goes."""
    events = _private_stdout()
    emit = _Emitter(events)
    orders: Orders = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders, emit), daemon=True).start()
    session = open_session(model, device, dtype, out, emit)
    while (item := orders.get()) is not None:
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


def _listen(orders: Orders, emit: _Emitter) -> None:
    """Read commands in a thread of their own, so that a pause is heard in the middle of a run."""
    control = Control()
    for line in sys.stdin.buffer:
        try:
            command = decode_command(line)
        except ValidationError as error:
            emit(Failed(f"The engine was sent a line it does not know: {error.errors()[0]['msg']}."))
            continue
        match command:
            case StartRun() | StartSearch():
                control = Control()
                orders.put((command, control))
            case Pause(paused=paused):
                control.pause(paused)
            case StopRun():
                control.stop()
            case Prefer() | Cancel():
                control.wish(command)
    if not emit.run_is_open:
        os._exit(0)  # there is nothing to close, and a model that loads would be loaded for nobody
    control.stop()
    orders.put(None)
    threading.Timer(GRACE, os._exit, args=(1,)).start()


class _Emitter:
    """Writes events, one line each, from any thread. When nobody reads any more the process ends."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._lock = stream, threading.Lock()
        self.run_is_open = False

    def __call__(self, event: Event) -> None:
        self.run_is_open |= isinstance(event, RunStarted | SearchStarted)
        try:
            with self._lock:
                self._stream.write(encode(event))
                self._stream.flush()
        except BrokenPipeError:
            os._exit(1)  # every finished record is on disk; there is nobody left to tell


def _private_stdout() -> BinaryIO:
    """Keep the real stdout for events; whatever a library prints goes to stderr, which is the log."""
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return events
