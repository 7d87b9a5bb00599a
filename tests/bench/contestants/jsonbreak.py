"""jsonbreak: both arms of all jobs in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.bench.decoder import decode, grammar_for, open_backend
from tests.bench.people import Workload, jobs_in, typical_length
from tests.bench.protocol import Result, Run, Task, repeat, serve


def measure(task: Task) -> Result:
    """Load the model, decode a few tokens to warm up, then run."""
    import torch

    backend = open_backend(Path(task.folder))
    grammar = grammar_for(backend, task.schema)
    jobs = jobs_in(Workload(**task.workload))
    mine = [backend.model.prompt_ids(job.messages, job.prefill) for job in jobs]
    assert mine == [chat.tokens for chat in task.chats], "jsonbreak reads other prompts than the other contestants"
    decode(backend, jobs[:4], grammar, max_new_tokens=4)

    def once() -> tuple[Run, Sequence[str], Sequence[str]]:
        decoded = decode(backend, jobs, grammar, task.max_new_tokens)
        free, constrained = ([replies[job.id].text for job in jobs] for replies in (decoded.free, decoded.constrained))
        return Run(decoded.seconds, decoded.first), free, constrained

    result = repeat(task, once)
    result.more["prompt_tokens"] = typical_length(mine)
    result.versions = f"torch {torch.__version__}, {torch.get_num_threads()} threads"
    return result


if __name__ == "__main__":
    serve(measure)
