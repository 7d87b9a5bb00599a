"""On a GPU: the captured step decodes what the plain one does, greedy and sampled."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from engine.decoding.backend import LocalBackend
from engine.decoding.graphs import cuda_capture
from engine.decoding.lanes import Request
from engine.decoding.model import LoadedModel, ModelSpec, load_model
from engine.decoding.rows import BatchRows
from engine.decoding.sampling import SamplingParams
from engine.decoding.twin import TwinDecoder
from engine.happenings import Ended

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.model,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}


def decode(model: LoadedModel, requests: list[Request], rows: partial[BatchRows], temperature: float) -> list[Ended]:
    decoder = TwinDecoder(model, rows, 24, SamplingParams(temperature), 24)
    for request in requests:
        decoder.submit(request)
    ended = []
    while decoder.busy:
        ended += [happening for happening in decoder.step() if isinstance(happening, Ended)]
    return sorted(ended, key=lambda end: int(end.id))


def texts_of(end: Ended) -> tuple[str, str | None]:
    return end.free.text, end.constrained and end.constrained.text


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_a_captured_step_decodes_the_same(temperature: float) -> None:
    model = load_model(ModelSpec(device="cuda", dtype="float32"), lambda event: None)
    grammar = LocalBackend(model).grammar(SCHEMA, 60, lambda event: None)
    texts = [
        f"Extract the name and age: I am number {number} and I am {20 + number} years old." for number in range(20)
    ]
    requests = [
        Request(str(number), model.prompt_ids([{"role": "user", "content": text}]), "", number, grammar)
        for number, text in enumerate(texts)
    ]
    rows = partial(BatchRows, model, capacity=160, budget=512)
    plain = decode(model, requests, rows, temperature)
    captured = decode(model, requests, partial(rows, graphs=cuda_capture()), temperature)
    same = sum(
        one.free.text == other.free.text
        and getattr(one.constrained, "text", None) == getattr(other.constrained, "text", None)
        for one, other in zip(plain, captured, strict=True)
    )
    assert same >= len(requests) - 1, "more differences than a tie explains"
