"""Where the time of jsonbreak's decoder goes: a profile by wrapping its parts, here and not in the product.

Grammar and mask work is the time of a selection beyond that of the free arm: the grammar's transitions, the masks, the
second argmax under them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from engine.decoding import decoder
from engine.decoding.batch import SlotBatch
from engine.decoding.forks import ForkExplainer
from engine.decoding.masks import MaskTable
from engine.decoding.sampling import Sampler
from engine.decoding.selection import TokenSelector
from tests.bench.decoder import decode, grammar_for, open_backend
from tests.bench.people import Workload, jobs_in
from tests.bench.protocol import Result, Task, serve


class Watch:
    """Seconds spent in some methods, calls of one inside another counted once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0
        self._inside = False

    def over(self, owner: type | ModuleType, name: str) -> AbstractContextManager[object]:
        """Time a method of a class, or a function that a module uses, while the context lasts."""
        return patch.object(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **options: Any) -> Any:
            if self._inside:
                return method(*args, **options)
            self._inside, started = True, time.perf_counter()
            try:
                return method(*args, **options)
            finally:
                self.seconds += time.perf_counter() - started
                self.calls += 1
                self._inside = False

        return timed


class FirstOnly(Watch):
    """Of the calls during one call of another watch, times the first only."""

    def __init__(self, other: Watch) -> None:
        super().__init__()
        self._other, self._seen = other, -1

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        timed = super()._timed(method)

        def first(*args: Any, **options: Any) -> Any:
            if self._seen == self._other.calls:
                return method(*args, **options)
            self._seen = self._other.calls
            return timed(*args, **options)

        return first


def measure(task: Task) -> Result:
    """The seconds of each part, summed over the runs, in `more`."""
    backend = open_backend(Path(task.folder))
    grammar = grammar_for(backend, task.schema)
    jobs = jobs_in(Workload(**task.workload))
    decode(backend, jobs[:4], grammar, max_new_tokens=4)

    steps, prompts, choices, weights, ends, forks = (Watch() for _ in range(6))
    unmasked = FirstOnly(choices)
    with (
        steps.over(SlotBatch, "step"),
        prompts.over(SlotBatch, "prefill"),
        choices.over(TokenSelector, "select"),
        unmasked.over(Sampler, "select"),
        weights.over(decoder, "probabilities"),
        ends.over(MaskTable, "ends"),
        forks.over(ForkExplainer, "explain"),
    ):
        runs = [decode(backend, jobs, grammar, task.max_new_tokens) for _ in range(task.runs)]

    whole, stepping = sum(run.seconds for run in runs), sum(sum(run.steps) for run in runs)
    parts = {
        "forward passes, one token a row": steps.seconds,
        "forward passes over prompts": prompts.seconds,
        "the free arm's choice": unmasked.seconds,
        "grammar and masks": choices.seconds - unmasked.seconds + ends.seconds,
        "the tokens' probabilities": weights.seconds,
        "explaining forks": forks.seconds,
    }
    parts["text, rows, events"] = stepping - sum(parts.values())
    parts["tokenising, planning"] = whole - stepping
    return Result(more={"parts": parts, "whole": whole, "steps": steps.calls})


if __name__ == "__main__":
    serve(measure)
