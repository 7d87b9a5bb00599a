"""Answers how a prompt reads to the model, beside what is being decoded, and without a loaded model."""

from __future__ import annotations

import queue
from collections.abc import Callable

from engine.errors import BadInputError, EngineError
from engine.models.chat import Chat, load_chat
from engine.models.loading import first_sentence
from engine.protocol.commands import RenderPrompt
from engine.protocol.events import Event, PromptRendered


def render_all(orders: queue.SimpleQueue[RenderPrompt], model: str | None, emit: Callable[[Event], None]) -> None:
    """Answer one order after another, for ever: for a thread of its own. model: as in ModelSpec."""
    chat: Chat | None = None
    while True:
        order = orders.get()
        try:
            chat = chat or load_chat(model, lambda loading: None)
            emit(_rendered(chat, order))
        except Exception as error:  # any class at all: the tokenizer is the user's, and the next order wants its answer
            emit(PromptRendered(order.id, chat.name if chat else model or "", error=_sentence(error)))


def _rendered(chat: Chat, order: RenderPrompt) -> PromptRendered:
    text = chat.text(order.messages, order.prefill, order.template_kwargs)
    return PromptRendered(order.id, chat.name, text, len(chat.ids(text)), tuple(chat.special(text)))


def _sentence(error: Exception) -> str:
    if isinstance(error, BadInputError | EngineError):
        return str(error)
    return f"The prompt could not be rendered: {first_sentence(error)}"
