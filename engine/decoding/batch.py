"""The forward pass over the rows of the batch: prompts are prefilled, running rows get one token a step.

Two ways to keep the rows' KV: `SlotBatch` for models whose layers all attend to everything, `SequentialBatch` for the
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
from typing_extensions import override

from engine.decoding.cuda_graphs import Capture, GraphedStep
from engine.decoding.kv_cache import SlotCache
from engine.decoding.prefix_cache import Tokens, cached_length, plan_prefill
from engine.models.model import LoadedModel

_ALIGNED = 8  # keys: attention kernels on GPUs want masks whose rows begin at such multiples


class Batch(Protocol):
    """The KV of at most `slots` rows, in slots 0..n-1 without gaps. The scheduler knows which row is in which slot."""

    slots: int

    @property
    def prefilling(self) -> bool:
        """Whether a long prompt is being computed in chunks."""
        ...

    def prefill(self, prompts: Sequence[Tokens], most: int, running: int) -> torch.Tensor | None:
        """One pass over the first of the waiting prompts, at most `most` of them; `running` slots are occupied.

        The computed ones occupy the next slots, in order: the logits that follow them, `[prompts, vocabulary]` in fp32.
        None while a long prompt needs more chunks: call again with the same prompt in front.
        """
        ...

    def step(self, tokens: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        """Append one token to each row, ids `[rows]`, behind its length; logits `[rows, vocabulary]` in fp32."""
        ...

    def fork(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` tokens of a slot to the next free one."""
        ...

    def drop(self, slot: int, last: int, length: int) -> None:
        """Free a slot: the row of the last one, which has `length` tokens, moves there."""
        ...


@dataclass(slots=True)
class ChunkedPrefill:
    """A prompt that takes several passes."""

    tokens: Tokens
    done: int
    """How many of its tokens have been computed."""
    keep: int
    """How many of them become the cached prefix."""


class SlotBatch(Batch):
    """Rows as slots of one preallocated cache, decoded in one forward pass."""

    def __init__(
        self,
        model: LoadedModel,
        slots: int,
        max_seq_len: int,
        max_prefill_tokens: int,
        graphs: Capture | None = None,
    ) -> None:
        """max_prefill_tokens: about how many prompt tokens one pass computes, so that running rows are not held up.

        graphs: captures the decode step; None runs it as it is.
        """
        self.slots = slots
        self._model, self._device = model.model, model.device
        self._max_prefill_tokens = max_prefill_tokens
        # The prefix cache: one slot more than there are rows keeps the beginning that the waiting prompts share. It is
        # copied into the slot of each of them, which costs a small part of computing it.
        self._prefix: Tokens = ()
        self._prefix_slot = slots
        self._chunked: ChunkedPrefill | None = None
        # One key more than a row can have, in every slot. Padding needs somewhere to write its states: there they harm
        # no one, since no row ever attends to that key.
        self._padding_key = max_seq_len
        keys = -(-(max_seq_len + 1) // _ALIGNED) * _ALIGNED
        config = model.model.config.get_text_config()
        self._cache = SlotCache(config.num_hidden_layers, slots + 1, keys)
        self._graphs: GraphedStep | None = None
        if graphs:
            self._graphs = GraphedStep(self._fixed, slots, keys, self._padding_key, self._device, graphs)

    @property
    @override
    def prefilling(self) -> bool:
        return self._chunked is not None

    @override
    def prefill(self, prompts: Sequence[Tokens], most: int, running: int) -> torch.Tensor | None:
        if self._chunked is not None and self._chunked.tokens == prompts[0]:
            return self._next_chunk(self._chunked, running)
        self._chunked = None  # its request was cancelled, or another one is preferred now
        plan = plan_prefill(prompts, most, self._prefix, self._max_prefill_tokens)
        if len(prompts[0]) - cached_length(self._prefix, prompts[0]) > self._max_prefill_tokens:
            self._chunked = ChunkedPrefill(prompts[0], self._take_prefix(prompts[0], self.slots - 1), plan.keep)
            return self._next_chunk(self._chunked, running)
        batch = prompts[: plan.count]
        starts = [self._take_prefix(prompt, running + number) for number, prompt in enumerate(batch)]
        logits = self._pass(running, [prompt[start:] for prompt, start in zip(batch, starts, strict=True)], starts)
        self._keep_prefix(batch[0], running, plan.keep)
        return logits

    def _next_chunk(self, prompt: ChunkedPrefill, running: int) -> torch.Tensor | None:
        """Compute the next chunk of a long prompt.

        It is kept in the last slot until it is complete: the running rows fork and move in the slots from the front.
        """
        slot = self.slots - 1
        chunk = prompt.tokens[prompt.done : prompt.done + self._max_prefill_tokens]
        logits = self._pass(slot, [chunk], [prompt.done])
        prompt.done += len(chunk)
        if prompt.done < len(prompt.tokens):
            return None
        if running != slot:
            self._cache.copy_slot(slot, running, prompt.done)
        self._keep_prefix(prompt.tokens, running, prompt.keep)
        self._chunked = None
        return logits

    def _take_prefix(self, prompt: Tokens, slot: int) -> int:
        length = cached_length(self._prefix, prompt)
        if length:
            self._cache.copy_slot(self._prefix_slot, slot, length)
        return length

    def _keep_prefix(self, prompt: Tokens, slot: int, length: int) -> None:
        if length:
            self._cache.copy_slot(slot, self._prefix_slot, length)
            self._prefix = prompt[:length]

    def _pass(self, first: int, parts: Sequence[Tokens], starts: Sequence[int]) -> torch.Tensor:
        """Compute parts of prompts in the slots from `first` on, each behind the `starts[i]` tokens its slot holds.

        Shorter parts are padded on the left, so that the last column is the last token of each.
        """
        width = max(len(part) for part in parts)
        pads = [width - len(part) for part in parts]
        ids = torch.tensor([[0] * pad + list(part) for pad, part in zip(pads, parts, strict=True)])
        positions = torch.arange(width)[None] - torch.tensor(pads)[:, None] + torch.tensor(starts)[:, None]
        padding = torch.arange(width)[None] < torch.tensor(pads)[:, None]
        places = positions.masked_fill(padding, self._padding_key).to(self._device)
        positions = positions.masked_fill(padding, 0).to(self._device)
        uniform = not any(pads) and len(set(starts)) == 1
        end = max(start + len(part) for start, part in zip(starts, parts, strict=True))
        self._set_window(slice(first, first + len(parts)), starts[0], end, None if uniform else places)
        # Without a mask attention is causal from the first key on: right for whole prompts, and what generate() runs.
        mask = None if uniform and (starts[0] == 0 or width == 1) else self._mask(positions, end)
        return self._forward(ids.to(self._device), positions, mask)

    @override
    def step(self, tokens: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        return self._graphs(tokens, lengths) if self._graphs else self._eager(tokens, lengths)

    def _eager(self, tokens: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        positions = torch.tensor(lengths, device=self._device)[:, None]
        uniform, end = len(set(lengths)) == 1, max(lengths) + 1
        self._set_window(slice(0, len(lengths)), end - 1, end, None if uniform else positions)
        # Where all rows are equally long attention without a mask is faster.
        return self._forward(tokens[:, None], positions, None if uniform else self._mask(positions, end))

    def _fixed(self, ids: torch.Tensor, positions: torch.Tensor, places: torch.Tensor, end: int) -> torch.Tensor:
        """The step in a form that depends on nothing but these tensors and their shapes."""
        self._set_window(slice(0, len(ids)), 0, end, places)
        return self._forward(ids, positions, self._mask(positions, end))

    @override
    def fork(self, source: int, target: int, length: int) -> None:
        self._cache.copy_slot(source, target, length)

    @override
    def drop(self, slot: int, last: int, length: int) -> None:
        if slot != last:
            self._cache.copy_slot(last, slot, length)

    def _set_window(self, slots: slice, start: int, end: int, places: torch.Tensor | None) -> None:
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


class SequentialBatch(Batch):
    """Each row with a transformers cache of its own, one forward pass a row: slower, right for every model.

    There are two slots, for the two arms of one job. The state of such a cache cannot be cut back to an earlier length,
    which is why no arm may ever have to wait for the other's slot.
    """

    slots = 2
    prefilling = False

    def __init__(self, model: LoadedModel) -> None:
        self._model, self._device = model.model, model.device
        self._caches: list[Cache] = []
        names = inspect.signature(model.model.forward).parameters
        self._cache_name = "cache_params" if "cache_params" in names else "past_key_values"  # Mamba has its own word

    @override
    def prefill(self, prompts: Sequence[Tokens], most: int, running: int) -> torch.Tensor:
        self._caches.append(DynamicCache(config=self._model.config))
        return self._forward(torch.tensor([prompts[0]], device=self._device), self._caches[-1])

    @override
    def step(self, tokens: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        return torch.cat(
            [self._forward(token[None, None], cache) for token, cache in zip(tokens, self._caches, strict=True)]
        )

    @override
    def fork(self, source: int, target: int, length: int) -> None:
        self._caches.append(copy.deepcopy(self._caches[source]))

    @override
    def drop(self, slot: int, last: int, length: int) -> None:
        self._caches[slot] = self._caches[last]
        self._caches.pop()

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
