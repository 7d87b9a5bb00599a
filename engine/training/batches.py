"""Rows as tokens: the prompt as the decoder feeds it, then the completion and the token that ends a reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from engine.models.chat import Chat
from engine.models.model import LoadedModel
from engine.training.rows import Row

_IGNORED = -100  # a label that counts for no loss, as PyTorch has it
_PROBE = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]


@dataclass(frozen=True, slots=True)
class Example:
    """A row's tokens; the loss is that of the completion's, the end token included."""

    prompt: list[int]
    completion: list[int]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


class Tokens:
    """Turns rows into examples for a model."""

    def __init__(self, model: LoadedModel) -> None:
        self._chat = Chat(model.name, model.tokenizer)
        self._end = end_token(model)

    def example(self, row: Row) -> Example:
        """A row's tokens. Raises ModelError where the chat template refuses the messages."""
        text = self._chat.text(row.messages, row.prefill, row.template_kwargs)
        rest = row.completion.removeprefix(row.prefill)
        prompt, whole = self._chat.ids(text), self._chat.ids(text + rest)
        # A prefill may be cut within what is one token of the whole: the decoder goes on from the prefill's tokens.
        completion = whole[len(prompt) :] if whole[: len(prompt)] == prompt else self._chat.ids(rest)
        return Example(prompt, [*completion, self._end])


def end_token(model: LoadedModel) -> int:
    """Of the tokens that the decoder stops at, the one with which the chat template ends a reply."""
    text = model.tokenizer.apply_chat_template(_PROBE, tokenize=False)
    ids = Chat(model.name, model.tokenizer).ids(str(text))
    return next((token for token in reversed(ids) if token in model.stop_ids), model.stop_ids[0])


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples side by side, padded on the left: the completions end together. All `[rows, tokens]`.

    labels: of the last tokens only, as many as the longest completion has; shifted, for the logits before them.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    positions: torch.Tensor
    labels: torch.Tensor


def batch_of(examples: Sequence[Example], device: torch.device) -> Batch:
    """The examples as tensors."""
    width, reach = max(map(len, examples)), max(len(each.completion) for each in examples)
    ids = torch.zeros(len(examples), width, dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full((len(examples), reach), _IGNORED)
    for row, each in enumerate(examples):
        ids[row, width - len(each) :] = torch.tensor(each.prompt + each.completion)
        mask[row, width - len(each) :] = 1
        labels[row, reach - len(each.completion) :] = torch.tensor(each.completion)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    return Batch(*(each.to(device) for each in (ids, mask, positions, labels)))
