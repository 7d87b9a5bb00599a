"""On a GPU: the captured step decodes what the plain one does, greedy and sampled."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from engine.backends import Finished
from engine.decoding.backend import LocalBackend
from engine.decoding.batch import SlotBatch
from engine.decoding.cuda_graphs import cuda_capture
from engine.decoding.decoder import TwinDecoder
from engine.decoding.sampling import SamplingParams
from engine.decoding.twins import Request
from engine.models.adapter_folder import AdapterFolder
from engine.models.builtin import builtin_snapshot
from engine.models.model import LoadedModel, ModelSpec, load_model
from tests.decoding.reference import free_of

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.model,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}


def decode(
    model: LoadedModel, requests: list[Request], batch: partial[SlotBatch], temperature: float
) -> list[Finished]:
    decoder = TwinDecoder(model, batch, 24, SamplingParams(temperature), 24)
    for request in requests:
        decoder.submit(request)
    ended = []
    while decoder.busy:
        ended += [event for event in decoder.step() if isinstance(event, Finished)]
    return sorted(ended, key=lambda end: int(end.id))


def texts_of(end: Finished) -> tuple[str, str | None]:
    return free_of(end).text, end.constrained.text if end.constrained else None


def requests_for(model: LoadedModel) -> list[Request]:
    grammar = LocalBackend(model).grammar(SCHEMA, 60, lambda event: None)
    texts = [
        f"Extract the name and age: I am number {number} and I am {20 + number} years old." for number in range(20)
    ]
    return [
        Request(str(number), model.prompt_ids([{"role": "user", "content": text}]), "", number, grammar)
        for number, text in enumerate(texts)
    ]


def plain_and_captured(model: LoadedModel, requests: list[Request], temperature: float) -> tuple[list[Finished], int]:
    """What the plain step decodes, and how many of the jobs the captured one decodes in the same way."""
    batch = partial(SlotBatch, model, max_seq_len=160, max_prefill_tokens=512)
    plain = decode(model, requests, batch, temperature)
    captured = decode(model, requests, partial(batch, graphs=cuda_capture()), temperature)
    return plain, sum(texts_of(one) == texts_of(other) for one, other in zip(plain, captured, strict=True))


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_a_captured_step_decodes_the_same(temperature: float) -> None:
    model = load_model(ModelSpec(device="cuda", dtype="float32"), lambda event: None)
    requests = requests_for(model)
    _, same = plain_and_captured(model, requests, temperature)
    assert same >= len(requests) - 1, "more differences than a tie explains"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_captured_step_decodes_with_the_adapter_in_use(tmp_path: Path, dtype: str) -> None:
    """Each run captures anew, so the adapter may be another one than in the run before."""
    base = AutoModelForCausalLM.from_pretrained(builtin_snapshot(lambda event: None))
    torch.manual_seed(1)
    adapted = get_peft_model(base, LoraConfig(target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
    for key, weight in adapted.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(weight, std=0.05)
    adapted.save_pretrained(str(tmp_path))
    folder = AdapterFolder("tuned", tmp_path)
    model = load_model(ModelSpec(device="cuda", dtype=dtype, adapters=(folder,)), lambda event: None)
    assert model.adapters is not None
    requests = requests_for(model)
    said = []
    for name in (None, "tuned", None):
        model.adapters.use(name)
        plain, same = plain_and_captured(model, requests, 0.0)
        # In bfloat16 two logits are often the same, and then the shape of the batch decides.
        assert same >= len(requests) * (0.95 if dtype == "float32" else 0.5)
        said.append([texts_of(end) for end in plain])
    assert said[0] == said[2] != said[1]
