"""Pausing, steering and stopping a run from outside it."""

from __future__ import annotations

import queue
import threading

from engine.protocol.events import Cancel, Prefer

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

    def wish(self, wish: Prefer | Cancel) -> None:
        """Ask for a change in what is decoded, before the next step."""
        self._wishes.put(wish)

    def take_wishes(self) -> list[Prefer | Cancel]:
        """What was asked for since the last call, in order."""
        wishes = []
        while not self._wishes.empty():
            wishes.append(self._wishes.get())
        return wishes
