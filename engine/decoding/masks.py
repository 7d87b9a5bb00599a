"""Which tokens a grammar allows, as masks on the model's device."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.decoding.grammar import Grammar


class MaskTable:
    """One row of allowed tokens a grammar state, filled at the first visit and then only gathered.

    `rows` is a bool tensor `[states seen, vocabulary]` on the model's device; row numbers come from `row_of`.
    """

    def __init__(self, vocabulary_size: int, device: torch.device) -> None:
        self._row_of: dict[tuple[Grammar, int], int] = {}
        self._rows = torch.zeros(64, vocabulary_size, dtype=torch.bool, device=device)

    def row_of(self, grammar: Grammar, state: int) -> int:
        """The number of the row that holds what `grammar` allows in `state`."""
        row = self._row_of.get((grammar, state))
        if row is None:
            row = self._row_of[grammar, state] = len(self._row_of)
            if row == len(self._rows):
                self._rows = torch.cat([self._rows, torch.zeros_like(self._rows)])
            self._rows[row, torch.tensor(grammar.allowed(state), device=self._rows.device)] = True
        return row

    def gather(self, rows: Sequence[int]) -> torch.Tensor:
        """The masks of these rows, bool `[len(rows), vocabulary]`, True where a token is allowed."""
        return self._rows[torch.tensor(rows, device=self._rows.device)]
