"""What a run was: everything the manifest says of it."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from engine import __version__
from engine.constraints import Constraints
from engine.decoding.grammar import WHITESPACE
from engine.decoding.model import LoadedModel
from engine.suites import Suite

_PACKAGES = ("torch", "transformers", "outlines", "outlines_core", "llguidance", "tokenizers")


def describe(
    suite: Suite, model: LoadedModel, jobs: int, constraints: Constraints, slots: int | None
) -> dict[str, Any]:
    """The manifest at the start of a run; `ended`, `done`, `cancelled` and `stopped` are added at its end.

    slots: the most rows at once, None where jobs are decoded one at a time.
    """
    return {
        "jsonbreak": __version__,
        "suite": suite.name,
        "suite_file": str(suite.path),
        "suite_sha256": hashlib.sha256(suite.text.encode()).hexdigest(),
        "schema": suite.json_schema,
        "prompts": [prompt.model_dump(mode="json") for prompt in suite.prompts],
        "variations": suite.variations.model_dump(mode="json"),
        "compare": {path: asdict(rule) for path, rule in suite.compare.items()},
        "generation": suite.generation.model_dump(mode="json"),
        "model": model.name,
        "device": str(model.device),
        "dtype": model.dtype_name,
        "whitespace_pattern": WHITESPACE,
        "grammars": constraints.describe(),
        "constrained_error": constraints.error,
        "batch": slots,
        "jobs": jobs,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        "started": now(),
    }


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
