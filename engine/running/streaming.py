"""Throttled events: text in batches of a few dozen milliseconds, progress a few times a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from engine.protocol.events import Delta, Event, Progress
from engine.records import Arm

_TEXT_EVERY = 0.04  # seconds
_PROGRESS_EVERY = 0.25
_SPEED_OVER = 3.0


class TextBatches:
    """Collects the text of all arms and sends it together."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._text: dict[tuple[str, Arm | Literal["both"]], list[str]] = {}  # by job and arm
        self._sent = time.monotonic()

    def add(self, job: str, arm: Arm | Literal["both"], text: str) -> None:
        """Collect the text of one token of an arm."""
        self._text.setdefault((job, arm), []).append(text)

    def send_if_due(self) -> None:
        """Send what was collected, if enough time has passed."""
        if time.monotonic() - self._sent >= _TEXT_EVERY:
            self.send()

    def send(self) -> None:
        """Send what was collected."""
        for (job, arm), pieces in self._text.items():
            self._emit(Delta(job, arm, "".join(pieces), len(pieces)))
        self._text.clear()
        self._sent = time.monotonic()

    def send_job(self, job: str) -> None:
        """Send what was collected of one job, so that its next event comes after its text."""
        for key in [key for key in self._text if key[0] == job]:
            pieces = self._text.pop(key)
            self._emit(Delta(*key, "".join(pieces), len(pieces)))

    def forget_job(self, job: str) -> None:
        """Drop what was collected of one job: it starts again, or was cancelled."""
        for key in [key for key in self._text if key[0] == job]:
            del self._text[key]


class Meter:
    """Counts jobs and decoded tokens, where one that serves both arms counts once."""

    done: int
    total: int
    """Falls when a job is cancelled."""

    def __init__(self, total: int, emit: Callable[[Event], None]) -> None:
        self.done, self.total, self._emit = 0, total, emit
        self._tokens = 0
        self._started = self._sent = time.monotonic()
        self._marks: deque[tuple[float, int]] = deque([(self._started, 0)])

    @property
    def seconds(self) -> float:
        """Since the run started to decode."""
        return time.monotonic() - self._started

    def count_token(self) -> None:
        """Count one more token."""
        self._tokens += 1

    def send_if_due(self, in_flight: int) -> None:
        """Send a Progress, if enough time has passed."""
        if time.monotonic() - self._sent >= _PROGRESS_EVERY:
            self.send(in_flight)

    def send(self, in_flight: int) -> None:
        """Send a Progress, with the speed over the last seconds."""
        now = self._sent = time.monotonic()
        self._marks.append((now, self._tokens))
        while len(self._marks) > 2 and now - self._marks[1][0] >= _SPEED_OVER:
            self._marks.popleft()
        then, tokens = self._marks[0]
        speed = (self._tokens - tokens) / (now - then) if now > then else 0.0
        self._emit(Progress(self.done, self.total, in_flight, self._tokens, speed, self.seconds))
