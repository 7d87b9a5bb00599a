"""Thinking before the answer is no part of the answer."""

from __future__ import annotations

import re

_VISIBLE = re.compile(r"[^\n]")


def blank_thoughts(text: str, close: str) -> str:
    """The reply with all up to the closing tag, the tag included, as blanks; the reply as it is if it has no such tag.

    So what follows keeps its place, its line and its column, and blanks around a value count for nothing.
    """
    thoughts, tag, answer = text.partition(close)
    return _VISIBLE.sub(" ", thoughts + tag) + answer if tag else text
