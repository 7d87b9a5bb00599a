"""The KV cache of the batch: one preallocated block a layer, one slot a row.

transformers' own caches either grow by copying everything at each step (DynamicCache) or keep all rows at one length
(StaticCache). Here each row has its own length; a row is copied once, when its arms part, and never recomputed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from transformers.cache_utils import Cache, CacheLayerMixin


@dataclass(slots=True)
class Window:
    """Which part of the block the next forward pass writes and reads.

    slots: the rows concerned, contiguous. lengths: how many tokens each holds before the pass (`positions` is the same
    on the device). Shared by all layers, so that it is set once a pass.
    """

    slots: slice = field(default_factory=lambda: slice(0, 0))
    lengths: list[int] = field(default_factory=list)
    positions: torch.Tensor | None = None

    @property
    def uniform(self) -> bool:
        """Whether all rows hold the same number of tokens, so that no mask is needed."""
        return min(self.lengths) == max(self.lengths)

    @property
    def longest(self) -> int:
        """Tokens in the longest row before the pass."""
        return max(self.lengths)


class SlotLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]  # of __init_subclass__
    """Keys and values of one layer, each `[slots, kv heads, capacity, head dim]`, allocated at the first pass."""

    is_sliding = False

    def __init__(self, window: Window, slots: int, capacity: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._window, self._slots, self._capacity = window, slots, capacity

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Allocate the block in the shape of the first keys and values."""

        def block(states: torch.Tensor) -> torch.Tensor:
            # Zeros, not empty: masked positions still meet the softmax, and 0 × NaN is NaN.
            return states.new_zeros(self._slots, states.shape[1], self._capacity, states.shape[3])

        self.keys, self.values = block(key_states), block(value_states)
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write new states `[rows, heads, new tokens, dim]` behind each row's end; give all up to the longest row."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        assert self.keys is not None
        assert self.values is not None
        window, new = self._window, key_states.shape[2]
        keys, values = self.keys[window.slots], self.values[window.slots]
        if window.uniform:
            place = slice(window.longest, window.longest + new)
            keys[:, :, place], values[:, :, place] = key_states, value_states
        else:
            assert window.positions is not None
            positions = window.positions.to(keys.device)  # layers may be spread over several GPUs
            rows = torch.arange(len(window.lengths), device=keys.device)
            keys[rows, :, positions] = key_states[:, :, 0]
            values[rows, :, positions] = value_states[:, :, 0]
        end = window.longest + new
        return keys[:, :, :end], values[:, :, :end]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Length and offset of the keys the next pass attends to."""
        return self._window.longest + query_length, 0

    def get_seq_length(self) -> int:
        """Tokens in the longest row."""
        return self._window.longest if self._window.lengths else 0

    def get_max_length(self) -> int:
        """Tokens a slot can hold."""
        return self._capacity

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` tokens of one slot into another."""
        assert self.keys is not None
        assert self.values is not None
        self.keys[target, :, :length] = self.keys[source, :, :length]
        self.values[target, :, :length] = self.values[source, :, :length]


class SlotCache(Cache):
    """All layers' blocks. Set `window` before each forward pass."""

    def __init__(self, layers: int, slots: int, capacity: int) -> None:
        self.window = Window()
        self.slot_layers = [SlotLayer(self.window, slots, capacity) for _ in range(layers)]
        super().__init__(layers=list(self.slot_layers))

    def copy_slot(self, source: int, target: int, length: int) -> None:
        """Copy a row into another slot: what a fork costs."""
        for layer in self.slot_layers:
            layer.copy(source, target, length)
