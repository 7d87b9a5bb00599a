"""Resumes an interrupted run: the command for it, and whether it would still be the same run."""

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

# What must be the same, with the words for it. The batch's size is not among them: it changes replies only by rounding.
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
    "trial_of": "the run that it is a trial of",
    "model": "the model",
    "server": "what serves it, or what that does with a schema",
    "dtype": "the number format",
    "device": "the device",
    "whitespace_pattern": "the whitespace that the grammar allows",
    "grammars": "the grammars",
}
# What older manifests do not record; it is taken to be the same then.
_DECISIVE_IF_RECORDED = {
    "model_sha256": "the files of the model",
    "tokenizer_sha256": "the files of its tokenizer",
    "chat_template_sha256": "its chat template",
    "attention": "the attention implementation",
    "device_name": "the processor or GPU",
}
_OF_THE_END = ("ended", "done", "cancelled", "stopped", "rates")


class _Selection(TypedDict):
    """Which of a suite's jobs a run has. The keys are those of the manifest and of StartRun."""

    prompts: tuple[str, ...]
    cases: tuple[str, ...]
    limit: int | None
    without: tuple[str, ...]


_SELECTION: TypeAdapter[_Selection] = TypeAdapter(_Selection)


def resumable_manifest(folder: Path) -> Manifest:
    """The manifest of a run that is to be resumed. Raises BadInputError if it cannot be read."""
    run = RunFolder(folder)
    if run.manifest_error is not None:
        raise BadInputError(f"{printable(str(folder))}: it cannot be resumed: {run.manifest_error}; start a new run.")
    return run.manifest


def resume_command(folder: Path) -> StartRun:
    """The command that resumes a run, from its manifest. Loading the same model is up to the caller.

    Raises BadInputError if the manifest does not say enough, and for a trial, which cannot be resumed.
    """
    manifest = resumable_manifest(folder)
    if manifest.trial_of is not None:
        raise BadInputError(f"{printable(str(folder))}: a trial cannot be resumed; start it again from its run.")
    try:
        selection = _SELECTION.validate_python(manifest.selection)
    except ValidationError:
        selection = None
    if selection is None or manifest.suite_file is None:
        name = printable(str(folder))
        raise BadInputError(f"{name}: its {MANIFEST} does not say which jobs it has; start a new run.")
    adapter = manifest.adapter.name if manifest.adapter is not None else None
    return StartRun(Path(manifest.suite_file), grammar=manifest.grammar, resume=folder, adapter=adapter, **selection)


def resumed_adapters(folder: Path) -> tuple[str, ...]:
    """The adapter that a run was started with, as `--adapter` takes it: one, or none."""
    adapter = resumable_manifest(folder).adapter
    return (f"{adapter.name}={adapter.path}",) if adapter is not None and adapter.path else ()


def resumed_manifest(folder: Path, anew: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a resumed run: the one that it has, with the time added.

    anew: what the manifest would be if the run started now.
    Raises BadInputError if it would be a different run, with what differs, or if there is no manifest.
    """
    name = printable(str(folder))
    resumable_manifest(folder)
    former = json.loads((folder / MANIFEST).read_bytes())
    differing = list(_differing(former, json.loads(json.dumps(anew))))  # as it is read back: JSON has no tuples
    if differing:
        remedy = "resume it with the same, or start a new run"
        raise BadInputError(
            f"{name}: it cannot be resumed: {', '.join(differing)} changed since it was started; {remedy}."
        )
    for key in _OF_THE_END:
        former.pop(key, None)
    return {**former, "batch": anew["batch"], "resumed": [*former.get("resumed", []), anew["started"]]}


def _differing(former: Mapping[str, Any], anew: Mapping[str, Any]) -> Iterator[str]:
    """What makes two manifests those of different runs, in words."""
    for key, words in _DECISIVE.items():
        if former.get(key) != anew.get(key):
            yield words
    for key, words in _DECISIVE_IF_RECORDED.items():
        if key in former and former[key] != anew.get(key):
            yield words
    if _adapter_identity(former) != _adapter_identity(anew):
        yield "the adapter"
    versions = anew["versions"]
    for package, version in former.get("versions", {}).items():  # not of packages that only newer versions record
        if version != versions.get(package):
            yield f"the version of {package}"


def _adapter_identity(manifest: Mapping[str, Any]) -> str | None:
    """What distinguishes the adapter; None without one."""
    # Not its path, nor its name if its files are known: both may change. On a server only the name is known.
    adapter = manifest.get("adapter")
    return adapter.get("sha256") or adapter["name"] if adapter is not None else None
