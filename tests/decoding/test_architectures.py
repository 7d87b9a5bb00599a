"""Every kind of attention: tiny random models of several families, each arm against `model.generate`."""

from __future__ import annotations

import pytest
import torch
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    MambaConfig,
    MambaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
)

from engine.backends import Finished
from engine.decoding.backend import LocalBackend
from engine.decoding.batch import can_batch
from engine.decoding.sampling import SamplingParams
from engine.decoding.twins import Request
from engine.models.model import LoadedModel
from engine.suites.jobs import Job
from engine.suites.tables import Generation
from tests.decoding.reference import free_of, generate
from tests.helpers.tiny_models import HEADS, IDS, SIZES, llama, loaded

WINDOW = 8
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a", "b"]}


def llama_eager() -> PreTrainedModel:
    """Attention that adds its mask, where the usual one takes a boolean."""
    return llama(attn_implementation="eager")


def mistral() -> PreTrainedModel:
    """All layers see a window only."""
    return MistralForCausalLM(MistralConfig(**SIZES, **HEADS, **IDS, sliding_window=WINDOW))


def gemma() -> PreTrainedModel:
    """Every other layer sees a window only; logits are capped."""
    config = Gemma2Config(**SIZES, **HEADS, **IDS, head_dim=8, sliding_window=WINDOW)
    config._attn_implementation = "eager"
    return Gemma2ForCausalLM(config)


def gpt2() -> PreTrainedModel:
    """Learned positions, one key head for each query head, and names of its own in the configuration."""
    return GPT2LMHeadModel(GPT2Config(vocab_size=257, n_embd=32, n_layer=2, n_head=4, n_positions=256, **IDS))


def mamba() -> PreTrainedModel:
    """A state instead of a cache."""
    return MambaForCausalLM(MambaConfig(vocab_size=257, hidden_size=32, num_hidden_layers=2, state_size=4, **IDS))


def job(number: int) -> Job:
    return Job(str(number), "p", "c", None, 0, number, "", (), "", {}, None, ())


@pytest.mark.parametrize("temperature", [0.0, 1.0], ids=["greedy", "sampled"])
@pytest.mark.parametrize(
    ("make", "batched"),
    [(llama, True), (llama_eager, True), (gpt2, True), (mistral, False), (gemma, False), (mamba, False)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_arm_equals_what_it_is_alone(
    make: object, batched: bool, temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(make)
    torch.manual_seed(1)
    model = loaded(make())
    assert can_batch(model) is batched
    texts = ["The quick brown fox jumps over", "a", "Pack my box with five dozen liquor jugs"]
    monkeypatch.setattr(LoadedModel, "prompt_ids", lambda self, *chat: self.tokenizer(texts.pop(0))["input_ids"])
    generation = Generation(max_new_tokens=20, temperature=temperature)
    backend = LocalBackend(model)
    grammar = backend.grammar(SCHEMA, 60, lambda event: None)
    prompts = [model.tokenizer(text)["input_ids"] for text in texts]
    plan = backend.plan([job(number) for number in range(3)], lambda job: grammar, generation)
    assert list(plan.tokens.values()) == [len(tokens) for tokens in prompts]
    ended: dict[str, Finished] = {}
    while plan.decoder.busy:
        ended |= {event.id: event for event in plan.decoder.step() if isinstance(event, Finished)}
    for number, tokens in enumerate(prompts):
        request = Request(str(number), tokens, "", number, grammar)
        params = SamplingParams(temperature)
        result = ended[str(number)]
        assert result.constrained is not None
        assert list(free_of(result).tokens) == generate(model, request, params, 20, masked=False).tokens
        assert list(result.constrained.tokens) == generate(model, request, params, 20, masked=True).tokens
