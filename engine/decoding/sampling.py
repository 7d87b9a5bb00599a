"""How a token is selected from logits: greedily, or with a seeded draw that both arms share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How tokens are selected."""

    temperature: float = 0.0
    """0 is greedy."""
    top_p: float = 1.0
    """1 is off."""
    top_k: int = 0
    """0 is off."""


class Sampler:
    """Selects tokens as `model.generate` does: warp the scores, then one multinomial draw for each row.

    `torch.multinomial` of one sample is an exponential race: the winner is the argmax of p / e with e ~ Exp(1) from the
    generator. Drawing e separately from p lets both arms of a job run the same race, and makes a job's reply depend on
    its seed alone, not on the batch that it runs in.
    """

    def __init__(self, params: SamplingParams, device: torch.device) -> None:
        self._device = device
        self._greedy = params.temperature == 0
        self._warpers: list[Callable[..., torch.Tensor]] = []
        if not self._greedy:
            if params.temperature != 1:
                self._warpers.append(TemperatureLogitsWarper(params.temperature))
            if params.top_k:
                self._warpers.append(TopKLogitsWarper(top_k=params.top_k))
            if params.top_p < 1:
                self._warpers.append(TopPLogitsWarper(top_p=params.top_p))

    @property
    def trims(self) -> bool:
        """Whether top_k or top_p leave tokens out, which depends on all the others."""
        return any(not isinstance(warp, TemperatureLogitsWarper) for warp in self._warpers)

    def generator(self, seed: int) -> torch.Generator | None:
        """The source of a job's draws; None when decoding is greedy."""
        return None if self._greedy else torch.Generator(self._device).manual_seed(seed)

    def draw(self, generators: Sequence[torch.Generator | None], vocabulary_size: int) -> torch.Tensor:
        """One exponential race for each generator, `[generators, vocabulary]`."""
        race = torch.empty(len(generators), vocabulary_size, device=self._device)
        for row, generator in zip(race, generators, strict=True):
            row.exponential_(1, generator=generator)
        return race

    def select(self, scores: torch.Tensor, race: torch.Tensor | None) -> torch.Tensor:
        """The selected ids, `[rows]`, from scores `[rows, vocabulary]` in fp32 (-inf where the mask forbids)."""
        if race is None:
            return scores.argmax(dim=-1)
        for warp in self._warpers:
            scores = warp(None, scores)
        probabilities = scores.softmax(dim=-1)
        return probabilities.div(race).argmax(dim=-1)
