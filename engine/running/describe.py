"""The contents of a run's manifest."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from engine import __version__
from engine.backends import AdapterInUse, Backend
from engine.records import Arm
from engine.running.constraints import Constraints
from engine.running.orders import RunPlan
from engine.runs.command_line import command_line
from engine.runs.rates import ArmRates
from engine.statistics import Clusters
from engine.suites.suite import Suite
from engine.suites.tables import Prompt


def describe(suite: Suite, backend: Backend[Any], jobs: int) -> dict[str, Any]:
    """The part that runs and searches have in common, known at the start. jobs: how many there are."""
    facts = backend.describe()
    return {
        "jsonbreak": __version__,
        "suite": suite.name,
        "suite_file": str(suite.path),
        "suite_sha256": _sha256(suite.text),
        "suite_text": suite.text,
        "schema": suite.json_schema,
        "variations": suite.variations.model_dump(mode="json"),
        "compare": {path: asdict(rule) for path, rule in suite.compare.items()},
        "generation": suite.generation.model_dump(mode="json"),
        "model": backend.name,
        "device": backend.device,
        "dtype": backend.precision,
        "jobs": jobs,
        **facts,
        "versions": {"python": platform.python_version()} | facts["versions"],
        "command_line": command_line(),
        "started": now(),
    }


def describe_run(
    plan: RunPlan,
    backend: Backend[Any],
    adapter: AdapterInUse | None,
    constraints: Constraints[Any],
    slots: int | None,
) -> dict[str, Any]:
    """The manifest at the start of a run; `ended`, `done`, `cancelled`, `stopped` and `rates` are added at its end.

    slots: the most rows at once, None where jobs are decoded one at a time.
    """
    return describe(plan.suite, backend, len(plan.jobs)) | {
        "adapter": asdict(adapter) if adapter is not None else None,
        "prompts": [prompt.model_dump(mode="json") for prompt in plan.suite.prompts],
        "prompts_sha256": {prompt.name: prompt_sha256(prompt) for prompt in plan.suite.prompts},
        "selection": dict(plan.selection),
        "trial_of": plan.trial_of.name if plan.trial_of else None,
        "grammar": plan.grammar,
        "grammars": constraints.describe(),
        "constrained_error": constraints.error,
        "batch": slots,
    }


def prompt_sha256(prompt: Prompt) -> str:
    """The SHA-256 of a prompt without its name, description and source: equal for prompts that ask the same.

    It is taken over JSON with sorted keys and no whitespace outside strings.
    """
    asked = prompt.model_dump(mode="json", exclude={"name", "about", "source"})
    return _sha256(json.dumps(asked, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


def rates_for_manifest(rates: Mapping[Arm, ArmRates], clusters: Mapping[Arm, Clusters]) -> dict[str, Any]:
    """The rates for the manifest: by arm, k and n of each share, and how many replies were not decoded.

    replies_as_one: the design effect, with which the intervals of the shares are computed.
    """
    return {
        arm: {name: [share.k, share.n] for name, share in _shares(each)}
        | {"errors": each.errors, "replies_as_one": clusters[arm].design_effect}
        for arm, each in rates.items()
    }


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _shares(rates: ArmRates) -> list[tuple[str, Any]]:
    return [(name, getattr(rates, name)) for name in ("strict", "unwrapped", "schema", "right")]
