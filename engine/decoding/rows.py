"""The forward pass over rows: prefill one, step all, copy one, move one.

Two ways to keep the rows' KV: `BatchRows` for models whose layers all attend to everything, `SeparateRows` for the
rest (sliding windows, state-space layers), which keeps transformers' own cache for each row and runs them in turn.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Protocol

import torch
from transformers import Cache, DynamicCache

from engine.decoding.cache import SlotCache
from engine.decoding.model import LoadedModel


class Rows(Protocol):
    """Rows are numbered 0..n-1 without gaps; `lengths[i]` tokens of row i have been computed."""

    lengths: list[int]

    def prefill(self, tokens: Sequence[int]) -> torch.Tensor:
        """Add a row with these tokens; the logits that follow the last of them, `[1, vocabulary]` in fp32."""
        ...

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Append one token to each row, ids `[rows]`; logits `[rows, vocabulary]` in fp32."""
        ...

    def fork(self, row: int) -> int:
        """Add a copy of a row; its number."""
        ...

    def drop(self, row: int) -> None:
        """Remove a row; the last row takes its number."""
        ...


class BatchRows:
    """Rows as slots of one preallocated cache, decoded in one forward pass."""

    def __init__(self, model: LoadedModel, slots: int, capacity: int) -> None:
        self.lengths: list[int] = []
        self._model, self._device = model.model, model.device
        config = model.model.config.get_text_config()
        self._cache = SlotCache(config.num_hidden_layers, slots, capacity)

    def prefill(self, tokens: Sequence[int]) -> torch.Tensor:
        """See Rows."""
        row = len(self.lengths)
        self._window(slice(row, row + 1), [0])
        ids = torch.tensor([tokens], device=self._device)
        logits = self._forward(ids, torch.arange(len(tokens), device=self._device)[None], None)
        self.lengths.append(len(tokens))
        return logits

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """See Rows."""
        positions = torch.tensor(self.lengths, device=self._device)
        self._window(slice(0, len(self.lengths)), list(self.lengths), positions)
        logits = self._forward(tokens[:, None], positions[:, None], self._mask(positions))
        self.lengths = [length + 1 for length in self.lengths]
        return logits

    def fork(self, row: int) -> int:
        """See Rows."""
        self._cache.copy_slot(row, len(self.lengths), self.lengths[row])
        self.lengths.append(self.lengths[row])
        return len(self.lengths) - 1

    def drop(self, row: int) -> None:
        """See Rows."""
        last = len(self.lengths) - 1
        if row != last:
            self._cache.copy_slot(last, row, self.lengths[last])
            self.lengths[row] = self.lengths[last]
        self.lengths.pop()

    def _window(self, slots: slice, lengths: list[int], positions: torch.Tensor | None = None) -> None:
        window = self._cache.window
        window.slots, window.lengths, window.positions = slots, lengths, positions

    def _mask(self, positions: torch.Tensor) -> torch.Tensor | None:
        """None where all rows are equally long: attention without a mask is faster, and what generate() runs.

        Else `[rows, 1, 1, keys]` to be added to the scores: eager attention adds a boolean mask as 0 and 1.
        """
        if self._cache.window.uniform:
            return None
        keys = torch.arange(self._cache.window.longest + 1, device=self._device)
        unseen = (keys[None, :] > positions[:, None])[:, None, None, :]
        dtype = self._model.dtype
        return torch.zeros(unseen.shape, dtype=dtype, device=self._device).masked_fill(unseen, torch.finfo(dtype).min)

    def _forward(self, ids: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        output = self._model(
            input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=self._cache, logits_to_keep=1
        )
        logits: torch.Tensor = output.logits[:, -1].float().to(self._device)  # the last layer may be on another GPU
        return logits


class SeparateRows:
    """Each row with a transformers cache of its own, one forward pass a row: slower, right for every model."""

    def __init__(self, model: LoadedModel) -> None:
        self.lengths: list[int] = []
        self._model, self._device = model.model, model.device
        self._caches: list[Cache] = []
        names = inspect.signature(model.model.forward).parameters
        self._cache_name = "cache_params" if "cache_params" in names else "past_key_values"  # Mamba has its own word

    def prefill(self, tokens: Sequence[int]) -> torch.Tensor:
        """See Rows."""
        self._caches.append(DynamicCache(config=self._model.config))
        self.lengths.append(len(tokens))
        return self._forward(torch.tensor([tokens], device=self._device), self._caches[-1])

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """See Rows."""
        logits = [self._forward(token[None, None], cache) for token, cache in zip(tokens, self._caches, strict=True)]
        self.lengths = [length + 1 for length in self.lengths]
        return torch.cat(logits)

    def fork(self, row: int) -> int:
        """See Rows."""
        self._caches.append(copy.deepcopy(self._caches[row]))
        self.lengths.append(self.lengths[row])
        return len(self.lengths) - 1

    def drop(self, row: int) -> None:
        """See Rows."""
        self._caches[row], self.lengths[row] = self._caches[-1], self.lengths[-1]
        self._caches.pop()
        self.lengths.pop()

    def _forward(self, ids: torch.Tensor, cache: Cache) -> torch.Tensor:
        output = self._model(input_ids=ids, use_cache=True, logits_to_keep=1, **{self._cache_name: cache})
        logits: torch.Tensor = output.logits[:, -1].float().to(self._device)  # the last layer may be on another GPU
        return logits


def can_batch(model: LoadedModel) -> bool:
    """Whether rows of different lengths can share a cache: every layer attends to all tokens, under a mask of ours."""
    config = model.model.config.get_text_config()
    if config._attn_implementation not in ("sdpa", "eager"):
        return False
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    return kinds == {"full_attention"} and not getattr(config, "sliding_window", None)
