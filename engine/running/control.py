"""Pausing, steering and stopping a run from outside it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

from engine.backends import Decoder, DecoderEvent
from engine.protocol.commands import Cancel, Prefer
from engine.protocol.events import Event, Paused

_HEARING = 0.1  # seconds


class Control:
    """How a run is paused, steered and stopped from another thread or a signal handler."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._going = threading.Event()
        self._going.set()
        self._wishes: queue.SimpleQueue[Prefer | Cancel] = queue.SimpleQueue()

    def pause(self, paused: bool) -> None:
        """Stand still before the next step, or go on."""
        if paused:
            self._going.clear()
        else:
            self._going.set()

    def stop(self) -> None:
        """End the run before the next step."""
        self.stopped.set()
        self._going.set()

    @property
    def paused(self) -> bool:
        """Whether the run is to stand still."""
        return not self._going.is_set()

    def wait(self) -> None:
        """Return when the run is to go on, or to end, or soon, so that wishes are heard meanwhile."""
        self._going.wait(_HEARING)

    def request(self, request: Prefer | Cancel) -> None:
        """Ask for a change in what is decoded, before the next step."""
        self._wishes.put(request)

    def take_requests(self) -> list[Prefer | Cancel]:
        """What was asked for since the last call, in order."""
        wishes = []
        while not self._wishes.empty():
            wishes.append(self._wishes.get())
        return wishes


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
