"""An engine process's stdin, stdout and SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

from pydantic import ValidationError

from engine.protocol.commands import Command, decode_command
from engine.protocol.events import Event, Failed, RunStarted, SearchStarted, encode_event


class EventWriter:
    """Writes events, one line each, from any thread. Without a reader the process exits, or continues silently."""

    has_reader: bool
    run_is_open: bool
    """Whether a run or a search has started; reset by the caller that ends it."""

    def __init__(self, stream: BinaryIO, keep_running: bool) -> None:
        """keep_running: continue without a reader."""
        self._stream, self._lock, self._keep_running = stream, threading.Lock(), keep_running
        self.has_reader = True
        self.run_is_open = False

    def __call__(self, event: Event) -> None:
        """Write one event."""
        self.run_is_open |= isinstance(event, RunStarted | SearchStarted)
        if not self.has_reader:
            return
        try:
            with self._lock:
                self._stream.write(encode_event(event))
                self._stream.flush()
        except BrokenPipeError:
            self.has_reader = False
            if not self._keep_running:
                os._exit(1)  # every finished record is on disk


def on_sigterm(act: Callable[[], None]) -> None:
    """Call `act` at SIGTERM, in a thread of its own.

    A signal handler would wait for PyTorch to return, and might wait for a lock that its own thread holds.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGTERM, lambda number, frame: None)

    def listen() -> None:
        while signal.SIGTERM not in os.read(reading, 1):
            pass
        act()

    threading.Thread(target=listen, daemon=True).start()


def read_commands(emit: Callable[[Event], None]) -> Iterator[Command]:
    """The commands on stdin until it closes, for a thread of its own; other lines are reported through `emit`."""
    # A duplicate of stdin: Python's own is closed at exit, which fails while a thread waits on it.
    for line in os.fdopen(os.dup(0), "rb"):
        try:
            command = decode_command(line)
        except ValidationError as error:
            emit(Failed(f"The engine was sent a line it does not know: {error.errors()[0]['msg']}."))
        else:
            yield command


def private_stdout() -> BinaryIO:
    """The real stdout, for events; what a library prints goes to stderr, which is the log."""
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return events
