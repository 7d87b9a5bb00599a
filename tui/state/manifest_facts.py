"""The facts of a run's manifest that a close look at a job needs: how it was asked, how its values are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.judging.compare import EVERYTHING_COUNTS, Cursor, Rule, cursor_of

if TYPE_CHECKING:
    from tui.state.job import JobState
    from tui.state.run import RunState


@dataclass(frozen=True, slots=True)
class PromptFacts:
    """What a prompt has in addition to its messages."""

    prefill: str = ""
    """The beginning of every reply."""
    template_kwargs: dict[str, Any] = field(default_factory=dict)
    """Variables of the chat template."""
    think_close: str | None = None
    """The tag that ends the thinking, None if the reply begins at once."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Facts of a manifest."""

    model: str | None = None
    rules: Cursor = EVERYTHING_COUNTS
    """The rules by which values are compared, at the root of a value."""
    prompts: dict[str, PromptFacts] = field(default_factory=dict)
    suite_sha256: str | None = None
    problem: str | None = None
    """Why facts are missing, as a sentence."""


_read: dict[Path, RunFacts] = {}  # these facts are written when a run begins, and never change


def facts_for(state: RunState, job: JobState) -> RunFacts:
    """The facts of a job's run: for a job of a trial those of the trial, in a comparison those of the candidate."""
    facts = RunFacts(problem="The run has no folder yet.")
    for folder in _folders(state, job):
        facts = run_facts(folder)
        if job.info.prompt in facts.prompts:
            return facts
    return facts


def run_facts(folder: Path) -> RunFacts:
    """The facts of the manifest in a folder."""
    if folder not in _read:
        facts = _facts_in(folder)
        if facts.problem is not None:
            return facts  # not cached: the manifest may still be written
        _read[folder] = facts
    return _read[folder]


def _folders(state: RunState, job: JobState) -> Iterator[Path]:
    from engine.runs.listing import trials_of

    folder = state.folder or (state.started.folder if state.started else None)
    if folder is None:
        return
    if job.trial:
        yield from reversed(trials_of(folder))
    yield folder


def _facts_in(folder: Path) -> RunFacts:
    from pydantic import TypeAdapter, ValidationError

    from engine.errors import BadInputError
    from engine.runs.reading import RunFolder
    from engine.runs.run_manifest import PromptText

    def facts(prompt: PromptText) -> PromptFacts:
        kwargs = {**(generation.get("chat_template_kwargs") or {}), **prompt.chat_template_kwargs}
        return PromptFacts(prompt.prefill or "", kwargs, (prompt.think or {}).get("close"))

    try:
        run = RunFolder(folder)
        manifest, generation = run.manifest, run.manifest.generation
        compare = (manifest.model_extra or {}).get("compare") or {}
        rules = cursor_of(TypeAdapter(dict[str, Rule]).validate_python(compare))
        prompts = {prompt.name: facts(prompt) for prompt in manifest.prompts}
    except BadInputError as error:
        return RunFacts(problem=str(error))
    except (ValidationError, ValueError):
        return RunFacts(problem="The manifest does not say how values are compared.")
    problem = f"{run.manifest_error}." if run.manifest_error else None
    return RunFacts(manifest.model, rules, prompts, manifest.suite_sha256, problem)
