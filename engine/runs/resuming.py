"""Going on with a run that was broken off: the order for it, and whether it would still be the same run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from engine.errors import BadInputError
from engine.protocol.commands import StartRun
from engine.runs.reading import RunFolder
from engine.runs.run_manifest import Manifest
from engine.runs.store import MANIFEST
from engine.text import printable

# What makes another run of it, in words. Not among them: how many rows at once, which changes no reply but by rounding.
_DECISIVE = {
    "jsonbreak": "the version of jsonbreak",
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
    "server": "what serves it, or what that does with a schema",
    "dtype": "the number format",
    "device": "the device",
    "whitespace_pattern": "the whitespace that the grammar allows",
    "grammars": "the grammars",
}
# The same of what older manifests do not tell: of those it is taken for the same.
_DECISIVE_IF_TOLD = {
    "model_sha256": "the files of the model",
    "tokenizer_sha256": "the files of its tokenizer",
    "chat_template_sha256": "its chat template",
    "attention": "the attention implementation",
    "device_name": "the processor or GPU",
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
    adapter = manifest.adapter.name if manifest.adapter is not None else None
    return StartRun(Path(manifest.suite_file), grammar=manifest.grammar, resume=folder, adapter=adapter, **selection)


def adapter_to_resume(folder: Path) -> tuple[str, ...]:
    """The adapter that a run was begun with, as `--adapter` takes it: one, or none."""
    adapter = manifest_of(folder).adapter
    return (f"{adapter.name}={adapter.path}",) if adapter is not None and adapter.path else ()


def resumed(folder: Path, anew: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a run that is gone on with: the one it has, and when.

    anew: what the manifest would be if the run began now.
    Raises BadInputError where the two are not of one run, naming what differs, and where it has no manifest.
    """
    name = printable(str(folder))
    manifest_of(folder)
    former = json.loads((folder / MANIFEST).read_bytes())
    differing = list(_differing(former, json.loads(json.dumps(anew))))  # as it is read back: JSON has no tuples
    if differing:
        remedy = "resume it with the same, or start a new run"
        raise BadInputError(
            f"{name}: it cannot be resumed: {', '.join(differing)} changed since it was begun; {remedy}."
        )
    for key in _OF_THE_END:
        former.pop(key, None)
    return {**former, "batch": anew["batch"], "resumed": [*former.get("resumed", []), anew["started"]]}


def _differing(former: Mapping[str, Any], anew: Mapping[str, Any]) -> Iterator[str]:
    """What makes two manifests those of two runs, in words."""
    for key, words in _DECISIVE.items():
        if former.get(key) != anew.get(key):
            yield words
    for key, words in _DECISIVE_IF_TOLD.items():
        if key in former and former[key] != anew.get(key):
            yield words
    if _identity_of_adapter(former) != _identity_of_adapter(anew):
        yield "the adapter"
    versions = anew["versions"]
    for package, version in former.get("versions", {}).items():  # of the packages that it tells of
        if version != versions.get(package):
            yield f"the version of {package}"


def _identity_of_adapter(manifest: Mapping[str, Any]) -> str | None:
    """What tells it from others; None without one. Not its path, nor its name where its files are known: they may move.

    Of an adapter on a server nothing but the name is known.
    """
    adapter = manifest.get("adapter")
    return adapter.get("sha256") or adapter["name"] if adapter is not None else None
