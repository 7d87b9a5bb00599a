"""The KV cache of the batch: one preallocated block a layer, one slot a row.

transformers' own caches either grow by copying everything at each step (DynamicCache) or keep all rows at one length
(StaticCache). Here each row has its own length; what rows have in common is copied between slots, never recomputed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from transformers.cache_utils import Cache, CacheLayerMixin
from typing_extensions import override


@dataclass(slots=True)
class Window:
    """Which part of the block the next forward pass writes and reads. Shared by all layers, set before each pass."""

    slots: slice = field(default_factory=lambda: slice(0, 0))
    """Those of the rows in the pass."""
    start: int = 0
    """The first key that is written, where all rows are equally long."""
    end: int = 0
    """Keys `[0, end)` of each row are read."""
    places: torch.Tensor | None = None
    """The keys that each row writes, `[rows, new tokens]`; None where they are the same for all, from `start` on."""


class SlotLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]  # of __init_subclass__
    """Keys and values of one layer, each `[slots, kv heads, keys, head dim]`, allocated at the first pass."""

    is_sliding = False

    def __init__(self, window: Window, slots: int, max_keys: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._window, self._slots, self._max_keys = window, slots, max_keys

    @override
    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        def block(states: torch.Tensor) -> torch.Tensor:
            # Zeros, not empty: masked positions still meet the softmax, and 0 × NaN is NaN.
            return states.new_zeros(self._slots, states.shape[1], self._max_keys, states.shape[3])

        self.keys, self.values = block(key_states), block(value_states)
        self.is_initialized = True

    @override
    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write new states `[rows, heads, new tokens, dim]` where the window says; return all that it reads."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        assert self.keys is not None
        assert self.values is not None
        window = self._window
        keys, values = self.keys[window.slots], self.values[window.slots]
        if window.places is None:
            place = slice(window.start, window.start + key_states.shape[2])
            keys[:, :, place], values[:, :, place] = key_states, value_states
        else:
            places = window.places.to(keys.device)  # layers may be spread over several GPUs
            rows = torch.arange(keys.shape[0], device=keys.device)[:, None]
            keys[rows, :, places] = key_states.transpose(1, 2)
            values[rows, :, places] = value_states.transpose(1, 2)
        return keys[:, :, : window.end], values[:, :, : window.end]

    @override
    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._window.end, 0

    @override
    def get_seq_length(self) -> int:
        return self._window.start  # right where the rows are equally long; else the pass gets its position ids

    @override
    def get_max_length(self) -> int:
        return self._max_keys

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` tokens of one slot into another."""
        assert self.keys is not None
        assert self.values is not None
        self.keys[target, :, :length] = self.keys[source, :, :length]
        self.values[target, :, :length] = self.values[source, :, :length]


class SlotCache(Cache):
    """All layers' blocks. Set `window` before each forward pass."""

    def __init__(self, layers: int, slots: int, max_keys: int) -> None:
        self.window = Window()
        self.slot_layers = [SlotLayer(self.window, slots, max_keys) for _ in range(layers)]
        super().__init__(layers=list(self.slot_layers))

    def copy_slot(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` tokens of a slot into another: all that a fork or a cached prefix costs."""
        for layer in self.slot_layers:
            layer.copy(source, target, length)
