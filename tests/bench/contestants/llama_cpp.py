"""llama.cpp through llama-cpp-python: job by job, free and then under a grammar made of the JSON Schema.

The second arm of a job comes right after its first, so that the prompt need not be computed again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llama_cpp
from llama_cpp import Llama, LlamaGrammar

from tests.bench.protocol import Chat, Result, Run, Task, repeat, serve


def measure(task: Task) -> Result:
    """Load the GGUF file, decode a few tokens to warm up, then run."""
    assert task.gguf is not None
    threads = os.cpu_count() or 1
    context = max(len(chat.tokens) for chat in task.chats) + task.max_new_tokens
    llm = Llama(task.gguf, n_ctx=context, n_threads=threads, n_threads_batch=threads, verbose=False)
    grammar = LlamaGrammar.from_json_schema(json.dumps(task.schema), verbose=False)

    def answer(chat: Chat, grammar: LlamaGrammar | None, limit: int) -> str:
        reply: Any = llm.create_completion(
            chat.tokens, max_tokens=limit, temperature=0.0, repeat_penalty=1.0, grammar=grammar
        )
        text: str = reply["choices"][0]["text"]
        return text

    for arm in (None, grammar):
        answer(task.chats[0], arm, 4)

    def once() -> tuple[Run, Sequence[str], Sequence[str]]:
        llm.reset()  # forgets the tokens of the run before
        replies: dict[bool, list[str]] = {False: [], True: []}
        seconds, first = {False: 0.0, True: 0.0}, 0.0
        for chat in task.chats:
            for masked in (False, True):
                started = time.perf_counter()
                replies[masked].append(answer(chat, grammar if masked else None, task.max_new_tokens))
                seconds[masked] += time.perf_counter() - started
                first = first or seconds[False]
        run = Run(seconds[False] + seconds[True], first, seconds[False], seconds[True])
        return run, replies[False], replies[True]

    result = repeat(task, once)
    result.versions = f"llama-cpp-python {llama_cpp.__version__}, {threads} threads"
    result.remarks.append(f"The weights are those of {Path(task.gguf).name}, quantised; the others' are float32.")
    return result


if __name__ == "__main__":
    serve(measure)
