"""Answers how a prompt reads to a model on a server: that is not known here."""

from __future__ import annotations

import queue
from collections.abc import Callable

from engine.protocol.events import Event, PromptRendered, RenderPrompt

_NOT_KNOWN = "The server puts messages through the chat template itself: how they read to the model is not known here."


def render_none(orders: queue.SimpleQueue[RenderPrompt], model: str | None, emit: Callable[[Event], None]) -> None:
    """Answer one order after another, for ever: for a thread of its own, as rendering.render_all."""
    while True:
        emit(PromptRendered(orders.get().id, model or "", error=_NOT_KNOWN))
