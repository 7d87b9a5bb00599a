"""An event loop in a thread of its own: requests go on while the run's thread judges, writes or stands still."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class LoopThread:
    """Runs coroutines from other threads, for as long as the process lives."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="requests", daemon=True).start()

    def start(self, work: Coroutine[Any, Any, _Result]) -> Future[_Result]:
        """Begin with it; the result comes later. Cancelling it cancels the work."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Do it and wait for the result. Where the wait is interrupted, by ctrl+c say, the work is cancelled."""
        future = self.start(work)
        try:
            return future.result()
        finally:
            future.cancel()
