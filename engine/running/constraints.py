"""The constraints of a run's schemas: compiled once each, with the reason where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic

from engine.backends import ConstraintT, GrammarError
from engine.per_schema import SchemaCache
from engine.suites.jobs import Job


@dataclass(slots=True)
class _Outcome(Generic[ConstraintT]):
    """The result of compiling a schema."""

    schema: dict[str, Any]
    grammar: ConstraintT | None = None
    reason: str | None = None
    """Why there is no grammar, else None."""
    prompts: list[str] = field(default_factory=list)
    """The prompts that have this schema."""


class Constraints(Generic[ConstraintT]):
    """What the constrained arm of each job is decoded with. Prompts may have their own schemas."""

    def __init__(self, jobs: Iterable[Job], make: Callable[[Mapping[str, Any]], ConstraintT]) -> None:
        """make: compiles a schema; raises GrammarError."""
        self._outcomes = SchemaCache(lambda schema: _outcome(schema, make))
        for job in jobs:
            prompts = self._outcomes(job.schema).prompts
            if job.prompt not in prompts:
                prompts.append(job.prompt)

    def of(self, job: Job) -> ConstraintT | None:
        """The grammar of a job's schema, None if it has none."""
        return self._outcomes(job.schema).grammar

    def reason(self, job: Job) -> str | None:
        """Why a job's schema has no grammar; None where it has one."""
        return self._outcomes(job.schema).reason

    @property
    def error(self) -> str | None:
        """Why there is no constrained arm at all; None if some job has one."""
        if any(each.grammar for each in self._outcomes):
            return None
        return next((each.reason for each in self._outcomes), None)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences that the user should know about the grammars."""
        outcomes = list(self._outcomes)
        lacking = [
            f"No constrained arm for {', '.join(each.prompts)}: {each.reason}"
            for each in outcomes
            if each.reason is not None and self.error is None
        ]
        unenforced = [
            f"{', '.join(each.prompts)}: {item.sentence}" if len(outcomes) > 1 else item.sentence
            for each in outcomes
            for item in (each.grammar.unenforced if each.grammar else ())
        ]
        return (*lacking, *unenforced)

    def describe(self) -> list[dict[str, Any]]:
        """The grammars for the manifest, in the order of the prompts."""
        return [
            {
                "prompts": each.prompts,
                "schema": each.schema,
                "backend": each.grammar.backend if each.grammar else None,
                "unenforced": [
                    {"keyword": item.keyword, "pointer": item.pointer}
                    for item in (each.grammar.unenforced if each.grammar else ())
                ],
                "error": each.reason,
            }
            for each in self._outcomes
        ]


def _outcome(schema: dict[str, Any], make: Callable[[Mapping[str, Any]], ConstraintT]) -> _Outcome[ConstraintT]:
    try:
        return _Outcome(schema, make(schema))
    except GrammarError as error:
        return _Outcome(schema, reason=str(error))
