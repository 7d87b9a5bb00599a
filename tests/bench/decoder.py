"""jsonbreak's decoder, as the bench drives it: the one place to change when the decoder's own interface does."""

from __future__ import annotations

import os

os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as engine/start.py has it; read when torch is imported

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.backends import ArmResult, ArmsForked, Finished, TokenAdded
from engine.decoding.backend import LocalBackend
from engine.grammars.grammar import Grammar
from engine.models.model import ModelSpec, load_model
from engine.suites.jobs import Job
from engine.suites.tables import Generation


@dataclass(slots=True)
class Decoded:
    """What one pass over jobs gave and took. `steps` are the seconds of each step; replies and forks are by job id."""

    seconds: float = 0.0
    first: float = 0.0
    steps: list[float] = field(default_factory=list)
    free: dict[str, ArmResult] = field(default_factory=dict)
    constrained: dict[str, ArmResult] = field(default_factory=dict)
    forked: set[str] = field(default_factory=set)


def open_backend(folder: Path) -> LocalBackend:
    """A model on the CPU in float32."""
    return LocalBackend(load_model(ModelSpec(str(folder), "cpu", "float32"), lambda event: None))


def grammar_for(backend: LocalBackend, schema: dict[str, object]) -> Grammar:
    """The grammar, as a run of jsonbreak gets it: compiled in a child process, or taken from the cache folder."""
    return backend.grammar(schema, 60, lambda event: None)


def decode(
    backend: LocalBackend, jobs: Sequence[Job], grammar: Grammar | None, max_new_tokens: int, batch: int | None = None
) -> Decoded:
    """Decode the jobs greedily, tokenising included; with no grammar the free arm alone."""
    decoded, started = Decoded(), time.perf_counter()
    generation = Generation(max_new_tokens=max_new_tokens, temperature=0.0)
    decoder = backend.plan(jobs, lambda job: grammar, generation, batch).decoder
    while decoder.busy:
        before = time.perf_counter()
        for event in decoder.step():
            if isinstance(event, TokenAdded):
                decoded.first = decoded.first or time.perf_counter() - started
            elif isinstance(event, ArmsForked):
                decoded.forked.add(event.id)
            elif isinstance(event, Finished):
                assert event.free is not None
                decoded.free[event.id] = event.free
                if event.constrained is not None:
                    decoded.constrained[event.id] = event.constrained
        decoded.steps.append(time.perf_counter() - before)
    decoded.seconds = time.perf_counter() - started
    return decoded
