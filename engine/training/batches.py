"""Tokenizes training rows: the prompt as the decoder feeds it, then the completion and the token that ends a reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from engine.models.chat import Chat
from engine.models.model import LoadedModel
from engine.training.rows import Row

_IGNORED = -100  # the label that PyTorch's cross entropy ignores
_PROBE = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]


@dataclass(frozen=True, slots=True)
class TokenizedRow:
    """A row's tokens."""

    prompt: list[int]
    completion: list[int]
    """With the end token. Only these tokens count for the loss."""

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


class RowTokenizer:
    """Tokenizes rows for a model."""

    def __init__(self, model: LoadedModel) -> None:
        self._chat = Chat(model.name, model.tokenizer)
        self._end = end_token(model)

    def tokenize(self, row: Row) -> TokenizedRow:
        """A row's tokens. Raises ModelError where the chat template refuses the messages."""
        text = self._chat.text(row.messages, row.prefill, row.template_kwargs)
        rest = row.completion.removeprefix(row.prefill)
        prompt, whole = self._chat.ids(text), self._chat.ids(text + rest)
        # A prefill may end inside what is one token of the whole text: the decoder continues from the prefill's tokens.
        completion = whole[len(prompt) :] if whole[: len(prompt)] == prompt else self._chat.ids(rest)
        return TokenizedRow(prompt, [*completion, self._end])


def end_token(model: LoadedModel) -> int:
    """The one of the model's stop tokens with which the chat template ends a reply."""
    text = model.tokenizer.apply_chat_template(_PROBE, tokenize=False)
    ids = Chat(model.name, model.tokenizer).ids(str(text))
    return next((token for token in reversed(ids) if token in model.stop_ids), model.stop_ids[0])


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """Rows padded on the left, so that all completions end in the last column. All tensors are `[rows, tokens]`."""

    ids: torch.Tensor
    mask: torch.Tensor
    positions: torch.Tensor
    labels: torch.Tensor
    """Of the last tokens only, as many as the longest completion has."""


def make_batch(rows: Sequence[TokenizedRow], device: torch.device) -> TrainingBatch:
    """The rows as tensors."""
    width, reach = max(map(len, rows)), max(len(each.completion) for each in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full((len(rows), reach), _IGNORED)
    for row, each in enumerate(rows):
        ids[row, width - len(each) :] = torch.tensor(each.prompt + each.completion)
        mask[row, width - len(each) :] = 1
        labels[row, reach - len(each.completion) :] = torch.tensor(each.completion)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    return TrainingBatch(*(each.to(device) for each in (ids, mask, positions, labels)))
