"""Both arms' next tokens, from the same logits and with the same draw."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch

from engine.backends import GrammarError
from engine.decoding.masks import MaskTable
from engine.decoding.sampling import Sampler
from engine.decoding.twins import ArmState, Row, Twin
from engine.grammars.grammar import Grammar, State
from engine.records import ARMS, Arm

_AT_ONCE = 16  # rows


@dataclass(frozen=True, slots=True)
class Choice:
    """The token that an arm takes next."""

    token: int
    state: State = None
    """The grammar's state after it, in the constrained arm."""
    error: str | None = None
    """Why the constrained arm cannot continue; `token` then means nothing."""


Choices: TypeAlias = Mapping[Arm, Choice]


class TokenSelector:
    """Selects the next tokens of all rows at once.

    Where the grammar allows the token that is selected without a mask, a mask would not change the selection: the best
    of all tokens is the best of the allowed ones. So only the other rows are masked and selected again. (With top_k or
    top_p all are, since these trim what is left after masking.)
    """

    def __init__(self, sampler: Sampler, masks: MaskTable, stop_ids: Collection[int]) -> None:
        self._sampler, self._masks, self._stop_ids = sampler, masks, stop_ids

    def select(self, rows: Sequence[Row], logits: torch.Tensor) -> Sequence[Choices]:
        """The next token of each arm of each row, from the logits `[rows, vocabulary]`."""
        race = self._race(rows, logits.shape[-1])
        wanted = self._sampler.select(logits, race).tolist()
        choices: list[dict[Arm, Choice]] = [
            {"free": Choice(token)} if "free" in row.arms else {} for row, token in zip(rows, wanted, strict=True)
        ]
        refused = []
        for number, row in enumerate(rows):
            if "constrained" not in row.arms:
                continue
            try:
                choice = self._without_mask(row.twin, wanted[number])
            except GrammarError as error:
                choice = Choice(-1, error=str(error))
            if choice is None:
                refused.append(number)
            else:
                choices[number]["constrained"] = choice
        for number, choice in zip(refused, self._masked(rows, refused, logits, race), strict=True):
            choices[number]["constrained"] = choice
        return choices

    def _without_mask(self, twin: Twin, token: int) -> Choice | None:
        """A choice that needs no mask: a thought, an allowed free choice, the only choice there is; else None."""
        grammar, arm = constrained(twin)
        if arm.thinking:
            return Choice(arm.thinking.choose(token, self._stop_ids))
        state = None if self._sampler.trims else grammar.advance(arm.grammar_state, token)
        if state is None:
            only = self._masks.only(grammar, arm.grammar_state)
            if only is None:
                return None
            token, state = only, grammar.advance(arm.grammar_state, only)
        return Choice(token, state)

    def _masked(
        self, rows: Sequence[Row], numbers: Sequence[int], logits: torch.Tensor, race: torch.Tensor | None
    ) -> list[Choice]:
        if not numbers:
            return []
        arms = [constrained(rows[number].twin) for number in numbers]
        allowed = self._masks.gather([(grammar, arm.grammar_state) for grammar, arm in arms])
        scores = logits[numbers].masked_fill_(~allowed, -torch.inf)
        tokens = self._sampler.select(scores, None if race is None else race[numbers]).tolist()
        return [_choice(grammar, arm, token) for (grammar, arm), token in zip(arms, tokens, strict=True)]

    def _race(self, rows: Sequence[Row], vocabulary_size: int) -> torch.Tensor | None:
        """One draw for each generator, so that the arms of a job run the same race, whether they share a row or not."""
        generators = [row.twin.arms[row.arms[0]].generator for row in rows]
        if generators[0] is None:
            return None
        distinct = list(dict.fromkeys(generators))
        draws = self._sampler.draw(distinct, vocabulary_size)
        if len(distinct) == len(rows):
            return draws
        number = {generator: place for place, generator in enumerate(distinct)}
        return draws[[number[generator] for generator in generators]]


def probabilities(logits: torch.Tensor, choices: Sequence[Choices]) -> list[dict[Arm, float]]:
    """How probable the model finds the token of each arm, unmasked, at temperature 1; rounded to four digits.

    logits: `[rows, vocabulary]`, those that the choices were taken from. For a choice with an error it means nothing.
    """
    tokens = [[max(0, each[arm].token) if arm in each else 0 for arm in ARMS] for each in choices]
    ids = torch.tensor(tokens, device=logits.device)
    # A few rows at a time: getting new memory for all of them takes longer than filling it.
    parts = zip(*(torch.split(each, _AT_ONCE) for each in (logits, ids)), strict=True)
    weights = torch.cat([rows.softmax(dim=-1).gather(1, taken) for rows, taken in parts]).tolist()
    return [{arm: float(f"{p:.4g}") for arm, p in zip(ARMS, row, strict=True)} for row in weights]


def constrained(twin: Twin) -> tuple[Grammar, ArmState]:
    """The grammar and the constrained arm of a job that has them."""
    assert twin.request.grammar is not None
    return twin.request.grammar, twin.arms["constrained"]


def _choice(grammar: Grammar, arm: ArmState, token: int) -> Choice:
    try:
        state = grammar.advance(arm.grammar_state, token)
    except GrammarError as error:
        return Choice(token, error=str(error))
    assert state is not None, "the mask allowed a token that the grammar does not"
    return Choice(token, state)
