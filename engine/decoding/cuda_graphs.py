"""The decode step as CUDA graphs: one launch instead of the hundreds that Python would have to queue.

Without them a step on a GPU takes as long as Python needs to launch its kernels, however fast the GPU is (see "CUDA
semantics, CUDA Graphs" in PyTorch's documentation). A graph has fixed shapes and addresses, so there is one for each
bucket of rows and keys, and its inputs are in buffers that are refilled before each replay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch

from engine.models.placement import out_of_memory

Pass: TypeAlias = Callable[[], torch.Tensor]
Capture: TypeAlias = Callable[[Pass], Pass]
"""Takes a pass and returns one that does the same with the same buffers, faster."""

Forward: TypeAlias = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, int], torch.Tensor]
"""ids, position ids and places, each `[rows, 1]`, and how many keys are read → logits `[rows, vocabulary]`."""

_KEYS = 256  # a graph for each multiple: attention reads at most this many keys more than it must


class GraphedStep:
    """Runs `forward` for any number of rows by padding them to the next bucket."""

    def __init__(
        self, forward: Forward, slots: int, keys: int, padding_key: int, device: torch.device, capture: Capture
    ) -> None:
        """slots: the most rows. keys: the most keys of a row. padding_key: the key that padding rows write."""
        self._forward, self._slots, self._keys, self._capture = forward, slots, keys, capture
        self._padding_key = padding_key
        self._ids, self._positions, self._places = torch.zeros(3, slots, 1, dtype=torch.long, device=device)
        self._passes: dict[tuple[int, int], Pass] = {}
        self._captures = True

    def __call__(self, tokens: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        """The logits `[rows, vocabulary]` after one more token in each row; they are overwritten by the next call."""
        rows = _bucket(len(lengths), self._slots)
        keys = min(self._keys, -(-(max(lengths) + 1) // _KEYS) * _KEYS)
        padding = rows - len(lengths)
        # Padding rows run in free slots, in the last of which the chunks of a long prompt may be: only the padding key
        # of those is written.
        filled = torch.tensor([list(lengths) + [0] * padding, list(lengths) + [self._padding_key] * padding])
        self._positions[:rows, 0], self._places[:rows, 0] = filled.to(self._positions.device)
        self._ids[: len(lengths), 0] = tokens
        return self._pass(rows, keys)()[: len(lengths)]

    def _pass(self, rows: int, keys: int) -> Pass:
        if (rows, keys) not in self._passes:
            self._passes[rows, keys] = self._captured(rows, keys)
        return self._passes[rows, keys]

    def _captured(self, rows: int, keys: int) -> Pass:
        def run() -> torch.Tensor:
            return self._forward(self._ids[:rows], self._positions[:rows], self._places[:rows], keys)

        if self._captures:
            try:
                return self._capture(run)
            except RuntimeError as error:
                if out_of_memory(error):
                    raise
                # The model's forward pass does something that a graph cannot hold: from now on it runs as it is.
                self._captures = False
        return run


def _bucket(rows: int, slots: int) -> int:
    """1, 2, 4, 8, 16, 32 and then every 32 rows, at most `slots`: little padding, few graphs."""
    size = 1
    while size < min(rows, 32):
        size *= 2
    return min(slots, size if rows <= size else -(-rows // 32) * 32)


def cuda_capture() -> Capture:
    """Capture on the current CUDA device."""
    # All graphs share one memory pool: only one is replayed at a time, and its logits are used up before the next.
    pool = torch.cuda.graph_pool_handle()

    def capture(run: Pass) -> Pass:
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # in the first passes libraries choose kernels and workspaces, uncapturable
            for _ in range(2):
                run()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool):
            logits = run()

        def replay() -> torch.Tensor:
            graph.replay()
            return logits

        return replay

    return capture
