"""What differs between two manifests, in a few words."""

from __future__ import annotations

from typing import Any

from engine.runs.differences import differences
from engine.runs.reading import Manifest
from tests.runs.made_runs import MANIFEST


def between(**changed: Any) -> list[str]:
    return differences(Manifest.model_validate(MANIFEST), Manifest.model_validate({**MANIFEST, **changed}))


def test_nothing_differs() -> None:
    assert between(started="2027-01-01T00:00:00+00:00", jobs=7, batch=1, rates={}) == []


def test_short_values_are_told() -> None:
    assert between(model="other", dtype=None, adapter="lora") == [
        "model (made-model, other)",
        "adapter (none, lora)",
        "number format (float32, none)",
    ]


def test_settings_and_versions_key_by_key() -> None:
    found = between(generation={"temperature": 0.0, "seed": 5, "top_k": 3}, versions={"python": "3.12.1"})
    assert found == ["temperature (0.7, 0.0)", "top_k (none, 3)", "the version of python (3.11.7, 3.12.1)"]


def test_long_values_are_named() -> None:
    prompts = [{"name": "naive", "user": "Who is it? {input}"}, MANIFEST["prompts"][1], {"name": "third", "user": ""}]
    found = between(suite_sha256="cd" * 32, schema={"type": "object"}, prompts=prompts, compare={"/name": {}})
    assert found == ["the suite's file", "the schema", "how values are compared", "prompt naive"]
