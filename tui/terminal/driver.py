"""How far the terminal has come: over a slow link what streams is drawn less often, and keys stay answered.

SSH takes whole megabytes before a program notices that nobody has read them. So the terminal is asked, after a frame,
a question that it answers when it has drawn the frame.
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

_QUESTION = "\x1b[?2026$p"  # Textual asks it once, to learn whether frames can be bracketed
_GIVE_UP = 5.0  # seconds after which an answer is taken for lost
_LAST_WAIT = 1.0  # seconds that a suspended or ending program waits for an answer


class LinkDriver(LinuxDriver):
    """Textual's driver, which keeps one question on its way while there is something to draw.

    Terminals that do not answer Textual's first question are not asked another.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lock = Lock()  # frames come from the event loop, answers from the input thread
        self._answers = False
        self._asked: float | None = None
        self._drawn_since = False

    @property
    def behind(self) -> bool:
        """Whether the terminal has still to draw, or to take, what was written."""
        with self._lock:
            if self._asked is not None and time.monotonic() - self._asked > _GIVE_UP:
                self._asked, self._answers = None, False
            if self._asked is not None:
                return True
        return self._file is not None and not select.select([], [self._file], [], 0)[1]

    def flush(self) -> None:
        """A frame was written: ask when it is drawn."""
        super().flush()
        with self._lock:
            self._drawn_since = True
            self._ask()

    def process_message(self, message: Message) -> None:
        """Take the answers; all else is Textual's."""
        if isinstance(message, TerminalSupportsSynchronizedOutput):
            with self._lock:
                if self._asked is not None:
                    self._asked = None
                    self._ask()
                    return
                self._answers = True
        super().process_message(message)

    def disable_input(self) -> None:
        """Suspended or at its end: an answer that came later would be typed into the shell."""
        end = time.monotonic() + _LAST_WAIT
        self._answers = False  # nothing more is asked until Textual has asked anew
        while self._asked is not None and time.monotonic() < end:
            time.sleep(0.01)
        self._asked = None
        super().disable_input()

    def _ask(self) -> None:
        if self._answers and self._asked is None and self._drawn_since:
            self._asked, self._drawn_since = time.monotonic(), False
            self.write(_QUESTION)


def is_lagging(app: App[Any]) -> bool:
    """Whether the terminal has not come to the last frame yet: then what streams had better wait."""
    driver = app._driver  # there is no other way from an app to its driver
    return isinstance(driver, LinkDriver) and driver.behind


_OPENS, _CLOSES = "\x1b[?1049h", "\x1b[?1049l"  # the alternate screen, as Textual writes them
_EXPLICIT, _IMPLICIT = "\x1b[8l", "\x1b[8h"


class FlowControlDriver(LinkDriver):
    """The driver of the program: explicit mode from before its screen is made, the terminal's usual one after it."""

    def write(self, data: str) -> None:
        """Write to the terminal."""
        if data == _OPENS:
            data = _EXPLICIT + data
        elif data == _CLOSES:
            data += _IMPLICIT
        super().write(data)
