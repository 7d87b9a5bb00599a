"""Runs written as the engine writes them, with the real judge's verdicts, from replies that a test invents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.judging.judge import Judge
from engine.records import Candidate, Finish, Fork, Record, Reply
from engine.runs.store import create_run

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {"name": {"type": "string"}},
}
EXPECTED = {"name": "Ann"}
RIGHT, WRONG, FENCED, PROSE = '{"name": "Ann"}', '{"name": "Bob"}', '```json\n{"name": "Ann"}\n```', "It is Ann."
MANIFEST: dict[str, Any] = {
    "jsonbreak": "0.1.0",
    "suite": "made",
    "suite_sha256": "ab" * 32,
    "schema": SCHEMA,
    "prompts": [{"name": "naive", "user": "Who? {input}"}, {"name": "strict", "user": "{input} JSON!"}],
    "generation": {"temperature": 0.7, "seed": 5},
    "model": "made-model",
    "device": "cpu",
    "dtype": "float32",
    "grammars": [
        {
            "prompts": ["naive", "strict"],
            "schema": SCHEMA,
            "backend": "outlines_core",
            "unenforced": [{"keyword": "minimum", "pointer": "/properties/age/minimum"}],
            "error": None,
        }
    ],
    "batch": 8,
    "versions": {"python": "3.11.7"},
    "started": "2026-01-01T10:00:00+00:00",
}
ENDED = {"ended": "2026-01-01T10:00:05+00:00", "cancelled": 0, "stopped": False}
_JUDGE = Judge(SCHEMA)


@dataclass(frozen=True)
class Made:
    """One job, with the text of each arm."""

    free: str | None
    """None if it was not decoded."""
    constrained: str | None = RIGHT
    case: str = "ann"
    prompt: str = "naive"
    variation: str | None = None
    repeat: int = 0
    input: str = "I am Ann."
    expected: Any = None
    finish: Finish = "stop"
    mass: float | None = 0.25
    """The mass of the allowed tokens at the fork; None for no fork."""
    wanted: str = "It"


def record(made: Made) -> Record:
    """The record of a job."""
    fork = None
    if made.mass is not None:
        fork = Fork(0, 0, (Candidate(made.wanted, 1, 0.5),), (Candidate("{", 2, 0.1),), made.mass)
    variation = f"~{made.variation}" if made.variation else ""
    return Record(
        id=f"made/{made.prompt}/{made.case}{variation}#{made.repeat}",
        suite="made",
        prompt=made.prompt,
        case=made.case,
        variation=made.variation,
        repeat=made.repeat,
        seed=7,
        input=made.input,
        messages=({"role": "user", "content": made.input},),
        expected=made.expected,
        free=_reply(made.free, made),
        constrained=_reply(made.constrained, made),
        fork=fork,
    )


def _reply(text: str | None, made: Made) -> Reply:
    if text is None:
        return Reply("", (), "error", "the prompt is too long", None, 0.0)
    assert made.finish != "error"
    verdict = _JUDGE.judge(text, made.finish, made.expected)
    return Reply(text, tuple(range(len(text) // 3)), made.finish, None, verdict, 0.5)


def write_run(out: Path, jobs: Iterable[Made], manifest: Mapping[str, Any] = MANIFEST, *, ended: bool = True) -> Path:
    """The folder of a run of these jobs; of one that was killed if `ended` is False."""
    jobs = list(jobs)
    out.mkdir(parents=True, exist_ok=True)
    store = create_run(out, "made", "made-model", {**manifest, "jobs": len(jobs)})
    for job in jobs:
        store.append(record(job))
    if ended:
        store.close(done=len(jobs), **ENDED)
    return store.folder
