"""What a user would run instead: `model.generate`, alone, with or without a mask. The twin decoder must equal it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from engine.backends import ArmResult, Finished
from engine.decoding.sampling import SamplingParams
from engine.decoding.twins import Request
from engine.grammars.grammar import Grammar
from engine.models.model import LoadedModel


class Mask(LogitsProcessor):
    """Masks the scores of one reply by its grammar, walking the grammar again from the start at every step."""

    def __init__(self, grammar: Grammar, prompt: int, prefill: str) -> None:
        self._grammar, self._prompt, self._prefill = grammar, prompt, prefill

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        state = self._grammar.start(self._prefill)
        for token in input_ids[0, self._prompt :].tolist():
            following = self._grammar.advance(state, token)
            assert following is not None
            state = following
        masked = torch.full_like(scores, -torch.inf)
        allowed = self._grammar.allowed(state)
        masked[0, allowed] = scores[0, allowed]
        return masked


def free_of(finished: Finished) -> ArmResult:
    """The free reply of a job that has one."""
    assert finished.free is not None
    return finished.free


@dataclass(frozen=True)
class Reference:
    """The tokens without the stop token, and how close each choice was: `gaps[i]` between the best two at step i."""

    tokens: list[int]
    gaps: list[float]


def generate(
    model: LoadedModel, request: Request, params: SamplingParams, max_new_tokens: int, masked: bool
) -> Reference:
    """Decode one arm of a request with `model.generate`."""
    processors = LogitsProcessorList()
    if masked:
        assert request.grammar is not None
        processors.append(Mask(request.grammar, len(request.tokens), request.prefill))
    sampled = params.temperature > 0
    config = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=sampled,
        temperature=params.temperature if sampled else None,
        top_p=params.top_p if sampled else None,
        top_k=params.top_k if sampled else None,
        eos_token_id=list(model.stop_ids),
        pad_token_id=model.stop_ids[0],
        return_dict_in_generate=True,
        output_scores=True,
    )
    prompt = torch.tensor([request.tokens])
    torch.manual_seed(request.seed)
    output = model.model.generate(  # type: ignore[operator]
        prompt, attention_mask=torch.ones_like(prompt), generation_config=config, logits_processor=processors
    )
    tokens = output.sequences[0, prompt.shape[1] :].tolist()
    race = torch.Generator().manual_seed(request.seed)
    gaps = []
    for scores in output.scores:
        if sampled:  # the same race torch.multinomial runs
            scores = scores.log_softmax(-1) - torch.empty_like(scores).exponential_(1, generator=race).log()
        best = scores[0].topk(2).values
        gaps.append((best[0] - best[1]).item())
    if tokens and tokens[-1] in model.stop_ids:
        tokens.pop()
    return Reference(tokens, gaps)
