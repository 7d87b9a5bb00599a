"""Going on with a run that was broken off: the order for it, and whether it would still be the same run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from engine.errors import BadInputError
from engine.events import StartRun
from engine.faults import printable
from engine.runs.reading import Manifest, RunFolder
from engine.runs.store import MANIFEST

# What makes another run of it, in words. Not among them: how many rows at once, which changes no reply but by rounding.
_DECISIVE = {
    "suite": "the suite's name",
    "suite_sha256": "the suite's file",
    "schema": "the schema",
    "prompts": "the prompts",
    "variations": "the variations",
    "compare": "how values are compared",
    "generation": "the generation settings",
    "selection": "which of its jobs are run",
    "trial_of": "the run that it is a trial beside",
    "model": "the model",
    "device": "the device",
    "server": "what serves it, or what that does with a schema",
    "dtype": "the number format",
    "whitespace_pattern": "the whitespace that the grammar allows",
    "grammars": "the grammars",
    "versions": "the versions of the packages",
}
_OF_THE_END = ("ended", "done", "cancelled", "stopped", "rates")


class _Selection(TypedDict):
    """Which of a suite's jobs a run is of, as its manifest has it. The keys are StartRun's."""

    prompts: tuple[str, ...]
    cases: tuple[str, ...]
    limit: int | None
    without: tuple[str, ...]


_SELECTION: TypeAdapter[_Selection] = TypeAdapter(_Selection)


def manifest_of(folder: Path) -> Manifest:
    """The manifest of a run that is to be resumed. Raises BadInputError where there is none that can be read."""
    run = RunFolder(folder)
    if run.manifest_error is not None:
        raise BadInputError(f"{printable(str(folder))}: it cannot be resumed: {run.manifest_error}; start a new run.")
    return run.manifest


def order_to_resume(folder: Path) -> StartRun:
    """The order that goes on with a run, as its manifest tells of it. What it says of the model is for the caller.

    Raises BadInputError where the manifest does not tell, and for a trial, which is to be made again instead.
    """
    manifest = manifest_of(folder)
    if manifest.trial_of is not None:
        raise BadInputError(f"{printable(str(folder))}: a trial cannot be resumed; try it again beside its run.")
    try:
        selection = _SELECTION.validate_python(manifest.selection)
    except ValidationError:
        selection = None
    if selection is None or manifest.suite_file is None:
        name = printable(str(folder))
        raise BadInputError(f"{name}: its {MANIFEST} does not tell which jobs it is of; start a new run.")
    return StartRun(Path(manifest.suite_file), grammar=manifest.grammar, resume=folder, **selection)


def resumed(folder: Path, anew: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a run that is gone on with: the one it has, and when.

    anew: what the manifest would be if the run began now.
    Raises BadInputError where the two are not of one run, naming what differs, and where it has no manifest.
    """
    name = printable(str(folder))
    manifest_of(folder)
    former = json.loads((folder / MANIFEST).read_bytes())
    stored = json.loads(json.dumps(anew))  # as it is read back: JSON has no tuples
    differing = [words for key, words in _DECISIVE.items() if former.get(key) != stored[key]]
    if differing:
        reason = f"{', '.join(differing)} {'is' if len(differing) == 1 else 'are'} not what it was begun with"
        raise BadInputError(f"{name}: it cannot be resumed: {reason}; resume it with the same, or start a new run.")
    for key in _OF_THE_END:
        former.pop(key, None)
    return {**former, "batch": anew["batch"], "resumed": [*former.get("resumed", []), anew["started"]]}
