"""What a run was: everything the manifest says of it."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from engine import __version__
from engine.constraints import Constraints
from engine.decoding.grammar import WHITESPACE
from engine.decoding.model import LoadedModel
from engine.orders import Ordered
from engine.records import Arm
from engine.runs.rates import ArmRates
from engine.runs.statistics import Clusters
from engine.suites import Suite

_PACKAGES = ("torch", "transformers", "outlines", "outlines_core", "llguidance", "tokenizers")


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


def describe_run(what: Ordered, model: LoadedModel, constraints: Constraints, slots: int | None) -> dict[str, Any]:
    """The manifest at the start of a run; `ended`, `done`, `cancelled`, `stopped` and `rates` are added at its end.

    slots: the most rows at once, None where jobs are decoded one at a time.
    """
    return describe(what.suite, model, len(what.jobs)) | {
        "prompts": [prompt.model_dump(mode="json") for prompt in what.suite.prompts],
        "selection": dict(what.selection),
        "trial_of": what.trial_of.name if what.trial_of else None,
        "whitespace_pattern": WHITESPACE,
        "grammar": what.grammar,
        "grammars": constraints.describe(),
        "constrained_error": constraints.error,
        "batch": slots,
    }


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
