"""How a contestant is asked and answers: one process each, a task file in, a result file out.

Contestants run in virtual environments of their own, so this file and theirs import nothing of jsonbreak's at the top
that is not in the standard library.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Chat:
    """One job: its messages, and the tokens they are for the model."""

    messages: list[dict[str, str]]
    tokens: list[int]


@dataclass(frozen=True, slots=True)
class Task:
    """What a contestant is to decode, greedily, in both arms. `workload` says the same as `chats`, in short.

    folder: the model in the transformers format. gguf: the same model as llama.cpp takes it, where it is needed.
    started: when the contestant's process was started, in seconds since the epoch.
    """

    folder: str
    gguf: str | None
    schema: dict[str, Any]
    max_new_tokens: int
    runs: int
    workload: dict[str, Any]
    chats: list[Chat]
    options: dict[str, Any] = field(default_factory=dict)
    started: float = field(default_factory=time.time)

    def save(self, file: Path) -> None:
        """Write the task to a file."""
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, file: Path) -> Task:
        """The task in a file."""
        data = json.loads(file.read_text())
        return cls(**{**data, "chats": [Chat(**chat) for chat in data["chats"]]})


@dataclass(frozen=True, slots=True)
class Run:
    """The seconds of one run over all jobs. free, constrained: None where the arms cannot be distinguished.

    first: until there is any text that a user could be shown.
    """

    both: float
    first: float
    free: float | None = None
    constrained: float | None = None


@dataclass(slots=True)
class Result:
    """What a contestant measured. The replies are those of its last run, in the order of the task.

    ready: seconds from the start of the process to the first timed run. peak: bytes, of all its processes.
    """

    runs: list[Run] = field(default_factory=list)
    free: list[str] = field(default_factory=list)
    constrained: list[str] = field(default_factory=list)
    versions: str = ""
    remarks: list[str] = field(default_factory=list)
    ready: float = 0.0
    peak: int = 0
    more: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path) -> Result:
        """The result in a file."""
        data = json.loads(file.read_text())
        return cls(**{**data, "runs": [Run(**run) for run in data["runs"]]})

    def median(self, what: str) -> float | None:
        """The median over the runs of one of the seconds of a Run; None where it was not measured."""
        seconds = [getattr(run, what) for run in self.runs]
        return None if not seconds or None in seconds else median(seconds)


Once = Callable[[], tuple[Run, Sequence[str], Sequence[str]]]
"""Decodes all jobs once: the seconds, the free replies, the constrained ones."""


def repeat(task: Task, once: Once) -> Result:
    """The result of as many runs as asked for; what this process did before is what it takes to be ready."""
    result = Result(ready=time.time() - task.started)
    for _ in range(task.runs):
        run, free, constrained = once()
        result.runs.append(run)
        result.free, result.constrained = list(free), list(constrained)
    return result


def serve(measure: Callable[[Task], Result]) -> None:
    """The main program of a contestant: `python -m MODULE TASK RESULT`."""
    task, answer = (Path(argument) for argument in sys.argv[1:])
    result = measure(Task.load(task))
    result.peak += peak_bytes(resource.RUSAGE_SELF)
    answer.write_text(json.dumps(asdict(result)))


def peak_bytes(who: int) -> int:
    """The most memory that this process held, or (RUSAGE_CHILDREN) the largest of its ended children did."""
    kilobytes = resource.getrusage(who).ru_maxrss
    return kilobytes if sys.platform == "darwin" else kilobytes * 1024
