"""Thinking before the answer: the part of a reply that no grammar masks, up to a closing tag."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Think:
    """How a job thinks before it answers."""

    close: str
    """The tag that ends the thinking."""
    close_ids: Sequence[int]
    """The tokens of that tag."""
    budget: int
    """How many tokens the thinking may take."""


class Thinking:
    """The thinking of one arm so far."""

    def __init__(self, think: Think) -> None:
        self._close, self._budget = think.close, think.budget
        self._to_write = deque(think.close_ids)
        self._text = ""
        self._closing = False

    def choose(self, wanted: int, stop_ids: Collection[int]) -> int:
        """The constrained arm's next token: while it thinks, the one that the model wants.

        If it would end without the tag, or has used its budget, the tag is written for it, so that an answer can follow
        ("budget forcing", arXiv 2501.19393). Not in the free arm, which shows what the prompt alone achieves.
        """
        self._closing = self._closing or self._budget <= 0 or wanted in stop_ids
        return self._to_write.popleft() if self._closing and self._to_write else wanted

    def push(self, text: str) -> str | None:
        """Add the text of one more token; returns what follows the tag once it has come, else None."""
        self._budget -= 1
        self._text += text
        _, tag, answer = self._text.partition(self._close)
        self._text = self._text[-len(self._close) :]  # the tag may come in parts; older text cannot be one of them
        return answer if tag else None
