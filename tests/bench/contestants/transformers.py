"""What a user writes today: `model.generate` for the free arm, then Outlines' `Generator` for the constrained one.

Job by job, or (option "static") all jobs as one left-padded batch an arm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import outlines
import torch
import transformers
from outlines.inputs import Chat
from outlines.types import JsonSchema
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.bench.protocol import Result, Run, Task, repeat, serve

Messages = Sequence[dict[str, str]]


def measure(task: Task) -> Result:
    """Load, pass Outlines' compilation of its mask, then run."""
    model: Any = AutoModelForCausalLM.from_pretrained(task.folder, dtype=torch.float32)
    tokenizer: Any = AutoTokenizer.from_pretrained(task.folder)
    generator: Any = outlines.Generator(outlines.from_transformers(model, tokenizer), JsonSchema(task.schema))
    chats = [chat.messages for chat in task.chats]
    read = [tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True) for chat in chats]
    assert [ids["input_ids"] for ids in read] == [chat.tokens for chat in task.chats], "other prompts are read here"

    def free(part: Sequence[Messages], limit: int) -> list[str]:
        inputs = tokenizer.apply_chat_template(
            list(part), add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
        )
        output = model.generate(**inputs, max_new_tokens=limit, do_sample=False)
        replies: list[str] = tokenizer.batch_decode(output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        return replies

    def constrained(part: Sequence[Messages], limit: int) -> list[str]:
        prompts = [Chat(list(messages)) for messages in part]
        if len(prompts) == 1:
            return [str(generator(prompts[0], max_new_tokens=limit, do_sample=False))]
        return [str(reply) for reply in generator.batch(prompts, max_new_tokens=limit, do_sample=False)]

    parts = [chats] if task.options["static"] else [[chat] for chat in chats]
    stall = _stall(lambda: constrained(parts[0], 2))
    free(parts[0], 2)

    def once() -> tuple[Run, Sequence[str], Sequence[str]]:
        started, first = time.perf_counter(), 0.0
        wanted: list[str] = []
        for part in parts:
            wanted += free(part, task.max_new_tokens)
            first = first or time.perf_counter() - started
        half = time.perf_counter()
        allowed = [reply for part in parts for reply in constrained(part, task.max_new_tokens)]
        end = time.perf_counter()
        return Run(end - started, first, half - started, end - half), wanted, allowed

    result = repeat(task, once)
    result.versions = f"transformers {transformers.__version__}, outlines {version('outlines')}"
    result.remarks.append(f"The first masked call stalls {stall:.1f} s (torch.compile); it is not in the times.")
    return result


def _stall(call: Callable[[], object]) -> float:
    """How much longer the first call takes than the second."""
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return seconds[0] - seconds[1]


if __name__ == "__main__":
    serve(measure)
