"""Why the arms forked: what the model wanted, what the grammar allowed, how much probability the mask removed."""

from __future__ import annotations

import torch
from transformers import PreTrainedTokenizerBase

from engine.decoding.detokenizer import decode
from engine.decoding.masks import MaskTable
from engine.decoding.selection import Choices, constrained
from engine.decoding.twins import Twin
from engine.records import Candidate, Fork

_CANDIDATES = 10


class ForkExplainer:
    """Makes the fork's record from the logits at which the arms chose differently."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, masks: MaskTable) -> None:
        self._tokenizer, self._masks = tokenizer, masks

    def explain(self, twin: Twin, choices: Choices, logits: torch.Tensor) -> Fork:
        """The fork of a job whose arms do not have these tokens yet; logits `[vocabulary]`."""
        grammar, arm = constrained(twin)
        p = logits.softmax(dim=-1)
        if arm.thinking:  # the decoder closes its thinking for it: nothing else was allowed
            allowed = torch.zeros_like(p, dtype=torch.bool)
            allowed[choices["constrained"].token] = True
        else:
            allowed = self._masks.gather([(grammar, arm.grammar_state)])[0]
        return Fork(
            token=len(arm.tokens),
            char=twin.chars,
            wanted=self._candidates(p, choices["free"].token),
            allowed=self._candidates(p * allowed, choices["constrained"].token),
            allowed_mass=min(1.0, p[allowed].sum().item()),
        )

    def _candidates(self, p: torch.Tensor, chosen: int) -> tuple[Candidate, ...]:
        """The chosen token first, then the most probable ones."""
        top = torch.topk(p, _CANDIDATES)
        best = [token for token, weight in zip(top.indices.tolist(), top.values.tolist(), strict=True) if weight > 0]
        order = [chosen, *[token for token in best if token != chosen]][:_CANDIDATES]
        weights = p[order].tolist()
        return tuple(
            Candidate(decode(self._tokenizer, [token]), token, weight)
            for token, weight in zip(order, weights, strict=True)
        )
