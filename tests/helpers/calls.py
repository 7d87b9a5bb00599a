"""How much work something is, counted in calls of functions: the same on a busy machine as on a quiet one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Calls:
    count = 0


@contextmanager
def counted_calls() -> Iterator[Calls]:
    """Count the calls made inside, in this thread."""
    calls = Calls()

    def profile(frame: FrameType, event: str, argument: object) -> None:
        calls.count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        yield calls
    finally:
        sys.setprofile(None)
