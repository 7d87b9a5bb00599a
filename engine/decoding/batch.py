"""The forward pass over rows: prompts in, one token a row and step, copying, dropping.

Two ways to keep the rows' KV: `BatchRows` for models whose layers all attend to everything, `SeparateRows` for the
rest (sliding windows, state-space layers), which keeps transformers' own cache for each row and runs them in turn.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from transformers import Cache, DynamicCache

from engine.decoding.cuda_graphs import Capture, GraphedStep
from engine.decoding.kv_cache import SlotCache
from engine.decoding.prefix_cache import Tokens, known, look_ahead
from engine.models.model import LoadedModel

_ALIGNED = 8  # keys: attention kernels on GPUs want masks whose rows begin at such multiples


class Rows(Protocol):
    """Rows are numbered 0..n-1 without gaps; `lengths[i]` tokens of row i have been computed."""

    lengths: list[int]

    @property
    def room(self) -> int:
        """How many more rows there is memory for."""
        ...

    @property
    def underway(self) -> bool:
        """Whether a long prompt has been begun and not finished."""
        ...

    def prefill(self, prompts: Sequence[Tokens], most: int) -> torch.Tensor | None:
        """One pass over the first of the waiting prompts, at most `most` of them.

        The finished ones become the last rows, in order: the logits that follow them, `[prompts, vocabulary]` in fp32.
        None while a long prompt needs more passes: call again with the same prompt in front.
        """
        ...

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Append one token to each row, ids `[rows]`; logits `[rows, vocabulary]` in fp32."""
        ...

    def fork(self, row: int, length: int) -> None:
        """Add a row: a copy of the first `length` tokens of another."""
        ...

    def rewind(self, row: int, length: int) -> None:
        """Forget all but the first `length` tokens of a row."""
        ...

    def drop(self, row: int) -> None:
        """Remove a row; the last row takes its number."""
        ...


@dataclass(slots=True)
class _Long:
    """A prompt that takes several passes: how much of it has been computed, and how much is kept for the next ones."""

    tokens: Tokens
    done: int
    keep: int


class BatchRows:
    """Rows as slots of one preallocated cache, decoded in one forward pass.

    slots: the most rows at once. capacity: the most tokens of a row. budget: about how many prompt tokens are computed
    in one pass, so that the other rows need not wait long. graphs: what captures the decode step, None runs it as is.
    """

    def __init__(
        self, model: LoadedModel, slots: int, capacity: int, budget: int, graphs: Capture | None = None
    ) -> None:
        self.lengths: list[int] = []
        self._model, self._device = model.model, model.device
        self._slots, self._budget = slots, budget
        self._prefix: Tokens = ()
        self._prefix_slot = slots  # behind the rows: the beginning that the waiting prompts share
        self._long: _Long | None = None
        self._nowhere = capacity  # a place in every slot that is written for padding and never read
        keys = -(-(capacity + 1) // _ALIGNED) * _ALIGNED
        config = model.model.config.get_text_config()
        self._cache = SlotCache(config.num_hidden_layers, slots + 1, keys)
        self._graphs: GraphedStep | None = None
        if graphs:
            self._graphs = GraphedStep(self._fixed, slots, keys, self._nowhere, self._device, graphs)

    @property
    def room(self) -> int:
        """See Rows."""
        return self._slots - len(self.lengths) - self.underway

    @property
    def underway(self) -> bool:
        """See Rows."""
        return self._long is not None

    def prefill(self, prompts: Sequence[Tokens], most: int) -> torch.Tensor | None:
        """See Rows."""
        if self._long is not None and self._long.tokens == prompts[0]:
            return self._go_on(self._long)
        self._long = None
        ahead = look_ahead(prompts, most, self._prefix, self._budget)
        if len(prompts[0]) - known(self._prefix, prompts[0]) > self._budget:
            self._long = _Long(prompts[0], self._take_prefix(prompts[0], self._slots - 1), ahead.keep)
            return self._go_on(self._long)
        batch, first = prompts[: ahead.count], len(self.lengths)
        starts = [self._take_prefix(prompt, first + number) for number, prompt in enumerate(batch)]
        logits = self._pass(first, [prompt[start:] for prompt, start in zip(batch, starts, strict=True)], starts)
        self.lengths += [len(prompt) for prompt in batch]
        self._keep_prefix(batch[0], first, ahead.keep)
        return logits

    def _go_on(self, long: _Long) -> torch.Tensor | None:
        """The next part of a long prompt, in the last slot, where no other row comes in its way."""
        slot = self._slots - 1
        part = long.tokens[long.done : long.done + self._budget]
        logits = self._pass(slot, [part], [long.done])
        long.done += len(part)
        if long.done < len(long.tokens):
            return None
        row = len(self.lengths)
        if row != slot:
            self._cache.copy_slot(slot, row, long.done)
        self.lengths.append(long.done)
        self._keep_prefix(long.tokens, row, long.keep)
        self._long = None
        return logits

    def _take_prefix(self, prompt: Tokens, slot: int) -> int:
        length = known(self._prefix, prompt)
        if length:
            self._cache.copy_slot(self._prefix_slot, slot, length)
        return length

    def _keep_prefix(self, prompt: Tokens, row: int, length: int) -> None:
        if length:
            self._cache.copy_slot(row, self._prefix_slot, length)
            self._prefix = prompt[:length]

    def _pass(self, first: int, parts: Sequence[Tokens], starts: Sequence[int]) -> torch.Tensor:
        """Compute parts of prompts in the slots from `first` on, each behind the `starts[i]` tokens its slot holds.

        Shorter parts are padded in front, so that the last column is the last token of each.
        """
        width = max(len(part) for part in parts)
        pads = [width - len(part) for part in parts]
        ids = torch.tensor([[0] * pad + list(part) for pad, part in zip(pads, parts, strict=True)])
        positions = torch.arange(width)[None] - torch.tensor(pads)[:, None] + torch.tensor(starts)[:, None]
        padding = torch.arange(width)[None] < torch.tensor(pads)[:, None]
        places = positions.masked_fill(padding, self._nowhere).to(self._device)
        positions = positions.masked_fill(padding, 0).to(self._device)
        uniform = not any(pads) and len(set(starts)) == 1
        end = max(start + len(part) for start, part in zip(starts, parts, strict=True))
        self._look_at(slice(first, first + len(parts)), starts[0], end, None if uniform else places)
        # Without a mask attention is causal from the first key on: right for whole prompts, and what generate() runs.
        mask = None if uniform and (starts[0] == 0 or width == 1) else self._mask(positions, end)
        return self._forward(ids.to(self._device), positions, mask)

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """See Rows."""
        logits = self._graphs(tokens, self.lengths) if self._graphs else self._eager(tokens)
        self.lengths = [length + 1 for length in self.lengths]
        return logits

    def _eager(self, tokens: torch.Tensor) -> torch.Tensor:
        positions = torch.tensor(self.lengths, device=self._device)[:, None]
        uniform, end = len(set(self.lengths)) == 1, max(self.lengths) + 1
        self._look_at(slice(0, len(self.lengths)), end - 1, end, None if uniform else positions)
        # Where all rows are equally long attention without a mask is faster.
        return self._forward(tokens[:, None], positions, None if uniform else self._mask(positions, end))

    def _fixed(self, ids: torch.Tensor, positions: torch.Tensor, places: torch.Tensor, end: int) -> torch.Tensor:
        """The step in a form that depends on nothing but these tensors and their shapes."""
        self._look_at(slice(0, len(ids)), 0, end, places)
        return self._forward(ids, positions, self._mask(positions, end))

    def fork(self, row: int, length: int) -> None:
        """See Rows."""
        self._cache.copy_slot(row, len(self.lengths), length)
        self.lengths.append(length)

    def rewind(self, row: int, length: int) -> None:
        """See Rows."""
        self.lengths[row] = length

    def drop(self, row: int) -> None:
        """See Rows."""
        last = len(self.lengths) - 1
        if row != last:
            self._cache.copy_slot(last, row, self.lengths[last])
            self.lengths[row] = self.lengths[last]
        self.lengths.pop()

    def _look_at(self, slots: slice, start: int, end: int, places: torch.Tensor | None) -> None:
        window = self._cache.window
        window.slots, window.start, window.end, window.places = slots, start, end, places

    def _mask(self, positions: torch.Tensor, end: int) -> torch.Tensor:
        """`[rows, 1, new tokens, keys]`, added to the scores: eager attention adds a boolean mask as 0 and 1."""
        unseen = (torch.arange(end, device=self._device) > positions[:, :, None])[:, None]
        dtype = self._model.dtype
        return torch.zeros(unseen.shape, dtype=dtype, device=self._device).masked_fill_(unseen, torch.finfo(dtype).min)

    def _forward(self, ids: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        output = self._model(
            input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=self._cache, logits_to_keep=1
        )
        logits: torch.Tensor = output.logits[:, -1].float().to(self._device)  # the last layer may be on another GPU
        return logits


class SeparateRows:
    """Each row with a transformers cache of its own, one forward pass a row: slower, right for every model.

    There are two rows, those of one job; a state cannot be rewound, so neither arm ever waits for the other's row.
    """

    underway = False

    def __init__(self, model: LoadedModel) -> None:
        self.lengths: list[int] = []
        self._model, self._device = model.model, model.device
        self._caches: list[Cache] = []
        names = inspect.signature(model.model.forward).parameters
        self._cache_name = "cache_params" if "cache_params" in names else "past_key_values"  # Mamba has its own word

    @property
    def room(self) -> int:
        """See Rows."""
        return 2 - len(self.lengths)

    def prefill(self, prompts: Sequence[Tokens], most: int) -> torch.Tensor:
        """See Rows."""
        tokens = prompts[0]
        self._caches.append(DynamicCache(config=self._model.config))
        self.lengths.append(len(tokens))
        return self._forward(torch.tensor([tokens], device=self._device), self._caches[-1])

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """See Rows."""
        logits = [self._forward(token[None, None], cache) for token, cache in zip(tokens, self._caches, strict=True)]
        self.lengths = [length + 1 for length in self.lengths]
        return torch.cat(logits)

    def fork(self, row: int, length: int) -> None:
        """See Rows."""
        assert length == self.lengths[row]
        self._caches.append(copy.deepcopy(self._caches[row]))
        self.lengths.append(length)

    def rewind(self, row: int, length: int) -> None:
        """Not possible here."""
        raise NotImplementedError("a row of its own cannot be rewound")

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
