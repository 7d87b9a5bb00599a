"""What differs between two runs by their manifests: what a difference between their replies may come from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from engine.runs.reading import Manifest

# Keys of the manifest with the words for them; the first have values short enough to be told.
_TOLD = {"suite": "suite", "model": "model", "adapter": "adapter", "device": "device", "dtype": "number format"}
_NAMED = {
    "suite_sha256": "the suite's file",
    "schema": "the schema",
    "variations": "the variations",
    "compare": "how values are compared",
    "whitespace_pattern": "the whitespace that the grammar allows",
}
_NONE = "none"


def differences(one: Manifest, other: Manifest) -> list[str]:
    """Each in a few words: `model (smol, qwen)`, `temperature (0.0, 0.7)`, `the schema`, `prompt naive`."""
    first, second = one.model_dump(mode="json", by_alias=True), other.model_dump(mode="json", by_alias=True)
    found = [
        _values(words, first.get(key), second.get(key)) for key, words in _TOLD.items() if _differ(first, second, key)
    ]
    found += [words for key, words in _NAMED.items() if _differ(first, second, key)]
    found += _prompts(one, other)
    found += _settings(one.generation, other.generation)
    found += [f"the version of {words}" for words in _settings(one.versions, other.versions)]
    return found


def _differ(first: Mapping[str, Any], second: Mapping[str, Any], key: str) -> bool:
    return bool(first.get(key) != second.get(key))


def _prompts(one: Manifest, other: Manifest) -> Iterator[str]:
    first, second = ({prompt.name: prompt for prompt in manifest.prompts} for manifest in (one, other))
    for name in {**first, **second}:
        if name in first and name in second and first[name] != second[name]:
            yield f"prompt {name}"


def _settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[str]:
    for key in {**first, **second}:
        if _differ(first, second, key):
            yield _values(key, first.get(key), second.get(key))


def _values(words: str, first: Any, second: Any) -> str:
    return f"{words} ({_shown(first)}, {_shown(second)})"


def _shown(value: Any) -> str:
    if value is None:
        return _NONE
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
