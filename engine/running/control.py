"""Pausing, steering and stopping a run from outside it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

from engine.backends import Decoder, DecoderEvent
from engine.protocol.commands import Cancel, Prefer
from engine.protocol.events import Event, Paused

_POLL = 0.1  # seconds


class Control:
    """How a run is paused, steered and stopped from another thread or a signal handler."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._running = threading.Event()
        self._running.set()
        self._requests: queue.SimpleQueue[Prefer | Cancel] = queue.SimpleQueue()

    def pause(self, paused: bool) -> None:
        """Pause before the next step, or resume."""
        if paused:
            self._running.clear()
        else:
            self._running.set()

    def stop(self) -> None:
        """End the run before the next step."""
        self.stopped.set()
        self._running.set()

    @property
    def paused(self) -> bool:
        """Whether the run should be paused."""
        return not self._running.is_set()

    def wait(self) -> None:
        """Block while paused, at most 0.1 s, so that requests are polled."""
        self._running.wait(_POLL)

    def request(self, request: Prefer | Cancel) -> None:
        """Ask for a change in what is decoded, from the next step on."""
        self._requests.put(request)

    def take_requests(self) -> list[Prefer | Cancel]:
        """The requests since the last call, in order."""
        requests = []
        while not self._requests.empty():
            requests.append(self._requests.get())
        return requests


def drive(
    decoder: Decoder,
    control: Control,
    emit: Callable[[Event], None],
    apply_request: Callable[[Prefer | Cancel], None],
    before_pause: Callable[[], None],
) -> Iterator[Iterator[DecoderEvent]]:
    """The decoder's steps, until it is done or stopped. Use up each step before taking the next.

    apply_request: carries out what the user asks for. before_pause: sends what waits to be sent.
    """
    while decoder.busy and not control.stopped.is_set():
        for request in control.take_requests():
            apply_request(request)
        if control.paused:
            before_pause()
            emit(Paused(True))
            while control.paused:
                control.wait()
                for request in control.take_requests():
                    apply_request(request)
            emit(Paused(False))
            continue
        yield decoder.step()
