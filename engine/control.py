"""Pausing and stopping a run from outside it."""

from __future__ import annotations

import threading


class Control:
    """How a run is paused and stopped from another thread or a signal handler."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._going = threading.Event()
        self._going.set()

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
        """Return when the run is to go on, or to end."""
        self._going.wait()
