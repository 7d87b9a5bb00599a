"""Which tokens a grammar allows, as masks on the model's device."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

import torch

from engine.grammars.grammar import Grammar, State

_MAX_STATES = 2048  # a mask takes one byte for each token of the vocabulary


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a grammar's state."""

    row: int
    """Of its mask in the table."""
    only: int | None
    """The token that it allows, where it leaves no choice."""


class MaskTable:
    """The masks of the grammar states seen so far: each is filled in once, at the first visit, and then only gathered.

    Grammars of all schemas share the table, a bool tensor `[states seen, vocabulary]` on the model's device.
    """

    def __init__(self, vocabulary_size: int, device: torch.device, stop_ids: Collection[int]) -> None:
        self._stop_ids = frozenset(stop_ids)
        self._known: dict[Hashable, _Known] = {}
        self._rows = torch.zeros(64, vocabulary_size, dtype=torch.bool, device=device)

    def gather(self, states: Sequence[tuple[Grammar, State]]) -> torch.Tensor:
        """The masks of these states, bool `[len(states), vocabulary]`, True where a token is allowed."""
        if len(self._known) + len(states) > _MAX_STATES:
            self._known.clear()
        rows = [self._look_up(grammar, state).row for grammar, state in states]
        return self._rows[torch.tensor(rows, device=self._rows.device)]

    def only(self, grammar: Grammar, state: State) -> int | None:
        """The token of a state that allows no other (any stop token where only those are allowed), else None."""
        return self._look_up(grammar, state).only

    def ends(self, grammar: Grammar, state: State) -> bool:
        """Whether nothing can follow but the end of the reply."""
        may_stop = any(grammar.advance(state, stop) is not None for stop in self._stop_ids)  # cheap, and rarely true
        return may_stop and self.only(grammar, state) in self._stop_ids

    def _look_up(self, grammar: Grammar, state: State) -> _Known:
        key = grammar.mask_key(state)
        known = self._known.get(key)
        if known is None:
            allowed = grammar.allowed(state)
            no_choice = len(allowed) == 1 or self._stop_ids.issuperset(allowed)
            known = self._known[key] = _Known(self._fill(allowed), allowed[0] if no_choice and allowed else None)
        return known

    def _fill(self, allowed: Sequence[int]) -> int:
        row = len(self._known)
        if row == len(self._rows):
            self._rows = torch.cat([self._rows, torch.zeros_like(self._rows)])
        self._rows[row] = False
        self._rows[row, torch.tensor(allowed, device=self._rows.device)] = True
        return row
