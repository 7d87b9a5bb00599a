"""The grammars of a run's schemas: made once each, and the reason where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.decoding.grammar import Grammar, GrammarError
from engine.jobs import Job

Make = Callable[[Mapping[str, Any]], Grammar]
"""Compiles a schema; raises GrammarError."""


class Constraints:
    """What the constrained arm of each job is decoded under. Prompts may have schemas of their own."""

    def __init__(self, jobs: Iterable[Job], make: Make) -> None:
        self._grammars: dict[str, Grammar] = {}
        self._reasons: dict[str, str] = {}
        self._prompts: dict[str, list[str]] = {}
        for job in jobs:
            key = json.dumps(job.schema)
            if key not in self._prompts:
                self._prompts[key] = []
                try:
                    self._grammars[key] = make(job.schema)
                except GrammarError as error:
                    self._reasons[key] = str(error)
            if job.prompt not in self._prompts[key]:
                self._prompts[key].append(job.prompt)

    def of(self, job: Job) -> Grammar | None:
        """The grammar of a job's schema, if it has one."""
        return self._grammars.get(json.dumps(job.schema))

    def reason(self, job: Job) -> str | None:
        """Why a job's schema has no grammar; None where it has one."""
        return self._reasons.get(json.dumps(job.schema))

    @property
    def error(self) -> str | None:
        """Why there is no constrained arm at all; None if some job has one."""
        return None if self._grammars else next(iter(self._reasons.values()), None)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know of the grammars, a sentence each."""
        lacking = [
            f"No constrained arm for {', '.join(self._prompts[key])}: {reason}"
            for key, reason in self._reasons.items()
            if self._grammars
        ]
        several = len(self._prompts) > 1
        unenforced = [
            f"{', '.join(self._prompts[key])}: {item.sentence}" if several else item.sentence
            for key, grammar in self._grammars.items()
            for item in grammar.unenforced
        ]
        return (*lacking, *unenforced)

    def describe(self) -> list[dict[str, Any]]:
        """The grammars for the manifest, in the order of the prompts."""
        return [
            {
                "prompts": prompts,
                "schema": json.loads(key),
                "backend": grammar.backend if (grammar := self._grammars.get(key)) else None,
                "unenforced": [
                    {"keyword": item.keyword, "pointer": item.pointer}
                    for item in (grammar.unenforced if grammar else ())
                ],
                "error": self._reasons.get(key),
            }
            for key, prompts in self._prompts.items()
        ]
