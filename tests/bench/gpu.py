"""Random weights in the shape of a real model, on a GPU: how near a step comes to what the memory allows.

A decode step has to read every weight once (of the input embeddings only a few rows), so weight bytes ÷ bandwidth is
the least it can take. The bandwidth is measured on the same card in the same process, by copying.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

from engine.decoding.backend import LocalBackend
from engine.grammars.grammar import Grammar
from engine.models.model import LoadedModel
from engine.suites.jobs import Job
from tests.bench.decoder import decode, grammar_for
from tests.bench.people import Workload, jobs_in
from tests.bench.protocol import Result, Task, serve

SHAPES: dict[str, dict[str, Any]] = {
    "8b": {  # of Llama 3.1 8B
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "max_position_embeddings": 8192,
        "rope_theta": 500000.0,
        "tie_word_embeddings": False,
    },
}
_ROWS = (1, 8, 32, 64)
_JOBS = 256
_ALTERNATIVE_JOBS = 4  # of the slow alternative, which would take half an hour for all


def measure(task: Task) -> Result:
    """Steps and jobs on the first CUDA device, in bfloat16; without one a remark says so."""
    if not torch.cuda.is_available():
        return Result(remarks=["Skipped: torch finds no CUDA device."])
    return _measure(task, torch.device("cuda"), torch.bfloat16, 2**32, _JOBS)


def _measure(task: Task, device: torch.device, dtype: torch.dtype, copied: int, count: int) -> Result:
    torch.manual_seed(0)
    model = _random_model(SHAPES[task.options["shape"]], task.folder, device, dtype)
    backend = LocalBackend(model)
    grammar = grammar_for(backend, task.schema)
    jobs = jobs_in(Workload(count))
    decode(backend, jobs[:2], grammar, max_new_tokens=8)
    bandwidth, size = _bandwidth(device, copied), _bytes_a_step(model)
    steps = {rows: _step_seconds(backend, jobs, grammar, rows, task) for rows in _ROWS}
    whole = [decode(backend, jobs, grammar, task.max_new_tokens).seconds for _ in range(task.runs)]
    more = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        "shape": task.options["shape"],
        "bandwidth": bandwidth,
        "bytes": size,
        "steps": steps,
        "jobs": count,
        "seconds": median(whole),
        "alternative_jobs": _ALTERNATIVE_JOBS,
        "alternative_seconds": _job_by_job(model, jobs[:_ALTERNATIVE_JOBS], task),
        "memory": torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0,
    }
    return Result(more=more)


def _random_model(shape: dict[str, Any], folder: str, device: torch.device, dtype: torch.dtype) -> LoadedModel:
    """A Llama with the built-in model's tokenizer. It hardly ever ends a reply, so every reply takes all its tokens."""
    tokenizer = AutoTokenizer.from_pretrained(Path(folder))
    with device:
        model: Any = AutoModelForCausalLM.from_config(LlamaConfig(**shape), dtype=dtype)
    model.eval()
    stop_ids = (int(tokenizer.eos_token_id),)
    return LoadedModel("random", model, tokenizer, device, dtype, stop_ids, shape["max_position_embeddings"])


def _bandwidth(device: torch.device, size: int) -> float:
    """Bytes a second, read and written, of copying `size` bytes: the best of ten."""
    source = torch.ones(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    best = float("inf")
    for _ in range(10):
        _wait(device)
        started = time.perf_counter()
        target.copy_(source)
        _wait(device)
        best = min(best, time.perf_counter() - started)
    return 2 * size / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _bytes_a_step(model: LoadedModel) -> int:
    every = sum(weight.numel() * weight.element_size() for weight in model.model.parameters())
    embeddings = model.model.get_input_embeddings().weight
    assert isinstance(embeddings, torch.Tensor)
    return every - embeddings.numel() * embeddings.element_size()


def _step_seconds(backend: LocalBackend, jobs: Sequence[Job], grammar: Grammar, rows: int, task: Task) -> float:
    """The median step with this many active rows: half as many jobs, which fork at once, or one job's free arm."""
    part, masked = (jobs[: rows // 2], grammar) if rows > 1 else (jobs[:1], None)
    middle = slice(task.max_new_tokens // 4, task.max_new_tokens * 3 // 4)  # all have begun, none has ended
    return median(
        median(decode(backend, part, masked, task.max_new_tokens, batch=rows).steps[middle]) for _ in range(task.runs)
    )


def _job_by_job(model: LoadedModel, jobs: Sequence[Job], task: Task) -> float:
    """The seconds of `model.generate`, then Outlines' `Generator`, for these jobs, after one to warm up."""
    import outlines
    from outlines.inputs import Chat
    from outlines.types import JsonSchema

    decoder: Any = model.model
    tokenizer: Any = model.tokenizer
    generator: Any = outlines.Generator(outlines.from_transformers(decoder, tokenizer), JsonSchema(task.schema))
    seconds = 0.0
    for number, job in enumerate([jobs[0], *jobs]):
        messages = [{"role": message["role"], "content": message["content"]} for message in job.messages]
        _wait(model.device)
        started = time.perf_counter()
        prompt = torch.tensor([model.prompt_ids(job.messages)], device=model.device)
        options = {"max_new_tokens": task.max_new_tokens, "do_sample": False}
        output = decoder.generate(prompt, attention_mask=torch.ones_like(prompt), **options)
        tokenizer.decode(output[0, prompt.shape[1] :], skip_special_tokens=True)
        generator(Chat(messages), **options)
        _wait(model.device)
        seconds += time.perf_counter() - started if number else 0.0
    return seconds


if __name__ == "__main__":
    serve(measure)
