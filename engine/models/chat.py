"""A model's tokenizer and chat template: chat messages → the prompt as the model reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from engine.models import builtin
from engine.models.hub import model_folder
from engine.models.loading import Emit, ModelError, first_sentence
from engine.models.local import local_folder
from engine.records import Message
from engine.text import printable


@dataclass(frozen=True, slots=True)
class Chat:
    """Turns chat messages into a prompt."""

    name: str
    """Of the model, for messages to the user."""
    tokenizer: PreTrainedTokenizerBase

    def text(
        self, messages: Sequence[Message], prefill: str = "", template_kwargs: Mapping[str, Any] | None = None
    ) -> str:
        """The chat up to where the reply begins, followed by the reply's beginning `prefill`.

        template_kwargs: variables of the chat template, such as enable_thinking; each template has its own.
        Raises ModelError if the model's template refuses the messages.
        """
        try:
            text = self.tokenizer.apply_chat_template(
                [{"role": message["role"], "content": message["content"]} for message in messages],
                tokenize=False,
                add_generation_prompt=True,
                **(template_kwargs or {}),
            )
        except Exception as error:  # a template is the model's own program and may raise anything
            raise ModelError(f"The chat template of {self.name} refuses the prompt: {first_sentence(error)}") from error
        return f"{text}{prefill}"

    def ids(self, text: str) -> list[int]:
        """The tokens of a prompt, tokenised as a whole: at the seams of its parts they are then those of any text.

        No special tokens are added, since the template has written those that belong there.
        """
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def special(self, text: str) -> list[tuple[int, int]]:
        """The places of the special tokens in a prompt, as offsets (start, end)."""
        tokens = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        known = {*self.tokenizer.all_special_ids, *_added_special(self.tokenizer)}
        pairs = zip(tokens["input_ids"], tokens["offset_mapping"], strict=True)
        return [(start, end) for token, (start, end) in pairs if token in known]


def load_chat(name: str | None, emit: Emit) -> Chat:
    """The tokenizer of a model, without its weights. name: as in ModelSpec. Raises ModelError, BuiltinError."""
    folder, name = locate(name, emit, weights=False)
    try:
        return chat_in(folder, name)
    except ModelError:
        raise
    except Exception as error:  # of any class: the folder is the user's, and transformers does not check it
        raise ModelError(f"The tokenizer of {name} could not be loaded: {first_sentence(error)}") from error


def locate(name: str | None, emit: Emit, *, weights: bool = True) -> tuple[Path, str]:
    """A model's folder, downloaded or made if necessary, and its name for display. weights: as in model_folder."""
    if name is None:
        return builtin.builtin_snapshot(emit), builtin.NAME
    folder = model_folder(name, emit, weights=weights)
    return folder, printable(folder.name if local_folder(name) else name)


def chat_in(folder: Path, name: str) -> Chat:
    """The tokenizer in a model's folder. Raises ModelError without a chat template, else what transformers raises."""
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if not tokenizer.chat_template:
        raise ModelError(f"{name} has no chat template: jsonbreak needs a model that was trained to chat.")
    return Chat(name, tokenizer)


def _added_special(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    return [token for token, added in tokenizer.added_tokens_decoder.items() if added.special]
