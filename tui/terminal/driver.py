"""Flow control: over a slow link, streaming text is drawn less often, and keys stay responsive.

SSH and the kernel buffer megabytes before a write blocks, so that a program writes seconds ahead of what the user sees.
Hence the terminal itself is asked: after a frame it gets a query, which it answers once it has drawn the frame.
"""

from __future__ import annotations

import select
import time
from threading import Lock
from typing import Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput
from typing_extensions import override

_QUERY = "\x1b[?2026$p"  # Textual sends it once, to learn whether frames can be bracketed
_ANSWER_TIMEOUT = 5.0  # seconds
_LAST_WAIT = 1.0  # seconds that a suspended or ending program waits for an answer

_ENTER_SCREEN, _LEAVE_SCREEN = "\x1b[?1049h", "\x1b[?1049l"  # the alternate screen, as Textual writes them
# Bidirectional text: explicit leaves the order to the program; implicit, the default, would let it move columns.
_EXPLICIT, _IMPLICIT = (
    "\x1b[8l",
    "\x1b[8h",
)


class FlowControlDriver(LinuxDriver):
    """Textual's driver, which keeps one query in flight while there is something to draw.

    A terminal that does not answer Textual's own query gets no other.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lock = Lock()  # frames come from the event loop, answers from the input thread
        self._answers = False
        self._asked_at: float | None = None  # when the query in flight was sent
        self._drawn_since = False  # whether a frame was written after it

    @property
    def is_lagging(self) -> bool:
        """Whether the terminal has not drawn, or not even taken, all that was written."""
        with self._lock:
            if self._asked_at is not None and time.monotonic() - self._asked_at > _ANSWER_TIMEOUT:
                # The terminal has stopped answering: draw without asking, until a late answer shows that it is back.
                self._asked_at, self._answers = None, False
            if self._asked_at is not None:
                return True
        return self._file is not None and not select.select([], [self._file], [], 0)[1]

    @override
    def flush(self) -> None:
        super().flush()
        with self._lock:
            self._drawn_since = True
            self._ask()

    @override
    def process_message(self, message: Message) -> None:
        if isinstance(message, TerminalSupportsSynchronizedOutput):
            with self._lock:
                if self._asked_at is not None:
                    self._asked_at = None
                    self._ask()  # frames may have been written while the query was in flight
                    return
                # The answer to Textual's own query: this terminal answers, and Textual gets the message.
                self._answers = True
        super().process_message(message)

    @override
    def disable_input(self) -> None:
        # Called on suspend and exit. An answer that arrived later would be typed into the shell, so wait for it.
        end = time.monotonic() + _LAST_WAIT
        self._answers = False  # no more queries until Textual has sent its own again
        while self._asked_at is not None and time.monotonic() < end:
            time.sleep(0.01)
        self._asked_at = None
        super().disable_input()

    @override
    def write(self, data: str) -> None:
        # Explicit mode is set before the alternate screen is entered, and the terminal's default once it is left: so
        # the shell's screen never sees it.
        if data == _ENTER_SCREEN:
            data = _EXPLICIT + data
        elif data == _LEAVE_SCREEN:
            data += _IMPLICIT
        super().write(data)

    def _ask(self) -> None:
        """Send a query, unless one is in flight or nothing was drawn. Call it with the lock."""
        if self._answers and self._asked_at is None and self._drawn_since:
            self._asked_at, self._drawn_since = time.monotonic(), False
            self.write(_QUERY)


def is_lagging(app: App[Any]) -> bool:
    """Whether the terminal has not drawn the last frame yet: then streaming text should wait."""
    driver = app._driver  # Textual has no public way from an app to its driver
    return isinstance(driver, FlowControlDriver) and driver.is_lagging
