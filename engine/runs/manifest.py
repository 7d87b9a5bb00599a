"""What a run was: everything the manifest says of it."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine import __version__
from engine.constraints import Constraints
from engine.decoding.grammar import WHITESPACE
from engine.decoding.model import LoadedModel
from engine.errors import BadInputError
from engine.faults import printable
from engine.records import Arm
from engine.runs.rates import ArmRates
from engine.runs.statistics import Clusters
from engine.runs.store import MANIFEST
from engine.suites import Suite

_PACKAGES = ("torch", "transformers", "outlines", "outlines_core", "llguidance", "tokenizers")

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
    "dtype": "the number format",
    "whitespace_pattern": "the whitespace that the grammar allows",
    "grammars": "the grammars",
    "versions": "the versions of the packages",
}


def describe(suite: Suite, model: LoadedModel, jobs: int) -> dict[str, Any]:
    """What is known at the start of a run or a search, and is common to both."""
    return {
        "jsonbreak": __version__,
        "suite": suite.name,
        "suite_file": str(suite.path),
        "suite_sha256": hashlib.sha256(suite.text.encode()).hexdigest(),
        "schema": suite.json_schema,
        "variations": suite.variations.model_dump(mode="json"),
        "compare": {path: asdict(rule) for path, rule in suite.compare.items()},
        "generation": suite.generation.model_dump(mode="json"),
        "model": model.name,
        "device": str(model.device),
        "dtype": model.dtype_name,
        "jobs": jobs,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        "started": now(),
    }


def describe_run(
    suite: Suite,
    model: LoadedModel,
    jobs: int,
    selection: Mapping[str, Any],
    trial_of: Path | None,
    constraints: Constraints,
    slots: int | None,
) -> dict[str, Any]:
    """The manifest at the start of a run; `ended`, `done`, `cancelled`, `stopped` and `rates` are added at its end.

    selection: which of the suite's jobs. trial_of: the run that it is a trial beside. slots: the most rows at once,
    None where jobs are decoded one at a time.
    """
    return describe(suite, model, jobs) | {
        "prompts": [prompt.model_dump(mode="json") for prompt in suite.prompts],
        "selection": dict(selection),
        "trial_of": trial_of.name if trial_of else None,
        "whitespace_pattern": WHITESPACE,
        "grammars": constraints.describe(),
        "constrained_error": constraints.error,
        "batch": slots,
    }


def resumed(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a run that is gone on with: the one it has, and when. `manifest`: what it would be, made anew.

    Raises BadInputError where the two are not of one run, naming what differs, or where it has none.
    """
    name = printable(str(folder))
    try:
        former = json.loads((folder / MANIFEST).read_bytes())
        differing = [words for key, words in _DECISIVE.items() if former.get(key) != _stored(manifest)[key]]
    except (OSError, ValueError, AttributeError) as error:
        raise BadInputError(f"{name}: there is no {MANIFEST} that can be read; start a new run.") from error
    if differing:
        reason = f"{', '.join(differing)} {'is' if len(differing) == 1 else 'are'} not what it was begun with"
        raise BadInputError(f"{name}: it cannot be resumed: {reason}; start a new run.")
    for key in ("ended", "done", "cancelled", "stopped", "rates"):
        former.pop(key, None)
    return {**former, "batch": manifest["batch"], "resumed": [*former.get("resumed", []), now()]}


def counts_of(rates: Mapping[Arm, ArmRates], clusters: Mapping[Arm, Clusters]) -> dict[str, Any]:
    """The rates for the manifest: by arm, k and n of each share, and how many replies were not decoded.

    replies_as_one: what the intervals of the shares take, see `statistics.alike`.
    """
    return {
        arm: {name: [share.k, share.n] for name, share in _shares(each)}
        | {"errors": each.errors, "replies_as_one": clusters[arm].alike}
        for arm, each in rates.items()
    }


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _shares(rates: ArmRates) -> list[tuple[str, Any]]:
    return [(name, getattr(rates, name)) for name in ("strict", "unwrapped", "schema", "right")]


def _stored(manifest: Mapping[str, Any]) -> Any:
    """The manifest as it is read back: JSON has lists only, and no tuples."""
    return json.loads(json.dumps(manifest))
