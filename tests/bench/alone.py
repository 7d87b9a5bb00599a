"""One job at a time: both arms against the free arm alone, for jobs whose arms agree to the end.

The prompt has worked examples, so that the model replies with the JSON that the grammar allows too; of its jobs those
are taken that do not fork.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median

from tests.bench.decoder import decode, grammar_for, open_backend
from tests.bench.people import Workload, jobs_in
from tests.bench.protocol import Result, Task, serve

_MOST = 4
_ROUNDS = 3  # of each job in a run: one job takes a second or two, and single times scatter


def measure(task: Task) -> Result:
    """`more["jobs"]`: for each job that agrees, the median seconds of both arms and of the free one."""
    backend = open_backend(Path(task.folder))
    grammar = grammar_for(backend, task.schema)
    jobs = jobs_in(Workload(**task.workload))
    found = decode(backend, jobs, grammar, task.max_new_tokens)
    agreeing = [job for job in jobs if job.id not in found.forked][:_MOST]
    measured = []
    for job in agreeing:
        both, free = [], []
        for _ in range(_ROUNDS * task.runs):  # in turn, so that both meet the same disturbances
            both.append(decode(backend, [job], grammar, task.max_new_tokens).seconds)
            free.append(decode(backend, [job], None, task.max_new_tokens).seconds)
        tokens = len(found.free[job.id].tokens)
        measured.append({"id": job.id, "tokens": tokens, "both": median(both), "free": median(free)})
    remark = f"{len(jobs) - len(found.forked)} of {len(jobs)} jobs agree to the end; the first {_MOST} are timed."
    return Result(remarks=[remark], more={"jobs": measured})


if __name__ == "__main__":
    serve(measure)
