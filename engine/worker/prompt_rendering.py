"""Renders prompts with the model's chat template, in parallel to decoding and without a loaded model."""

from __future__ import annotations

import queue
from collections.abc import Callable

from engine.errors import BadInputError, EngineError
from engine.models.chat import Chat, load_chat
from engine.models.loading import first_sentence
from engine.protocol.commands import RenderPrompt
from engine.protocol.events import Event, PromptRendered


def render_all(prompts: queue.SimpleQueue[RenderPrompt], model: str | None, emit: Callable[[Event], None]) -> None:
    """Answer one command after another, without end: for a thread of its own. model: as in ModelSpec."""
    chat: Chat | None = None
    while True:
        prompt = prompts.get()
        try:
            chat = chat or load_chat(model, lambda loading: None)
            emit(_render(chat, prompt))
        except Exception as error:  # any class: the tokenizer is the user's, and the thread must survive it
            emit(PromptRendered(prompt.id, chat.name if chat else model or "", error=_sentence(error)))


def _render(chat: Chat, prompt: RenderPrompt) -> PromptRendered:
    text = chat.text(prompt.messages, prompt.prefill, prompt.template_kwargs)
    return PromptRendered(prompt.id, chat.name, text, len(chat.ids(text)), tuple(chat.special(text)))


def _sentence(error: Exception) -> str:
    if isinstance(error, BadInputError | EngineError):
        return str(error)
    return f"The prompt could not be rendered: {first_sentence(error)}"
