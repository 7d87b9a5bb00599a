"""What differs between two runs by their manifests: possible causes of a difference between their replies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.runs.run_manifest import Manifest

# Keys of the manifest and what they are called. Where the values are short, both are shown.
_ASKED_WITH_VALUES = {"suite": "suite"}
_ASKED = {
    "suite_sha256": "the suite's file",
    "schema": "the schema",
    "variations": "the variations",
    "compare": "how values are compared",
}
_ANSWERED_WITH_VALUES = {
    "model": "model",
    "device": "device",
    "device_name": "processor",
    "dtype": "number format",
    "attention": "attention",
    "grammar": "grammar asked for",
    "jsonbreak": "the version of jsonbreak",
}
_ANSWERED = {
    "model_sha256": "the model's files",
    "tokenizer_sha256": "the tokenizer",
    "chat_template_sha256": "the chat template",
    "server": "what serves it",
    "whitespace_pattern": "the whitespace that the grammar allows",
}
_NONE = "none"


@dataclass(frozen=True, slots=True)
class Differences:
    """Each in a few words: `model (smol, qwen)`, `temperature (0.0, 0.7)`, `the schema`, `prompt naive`."""

    asked: tuple[str, ...]
    """What the model was asked and how its replies were judged. Runs that differ in it are not comparable."""
    answered: tuple[str, ...]
    """What answered: the model, its adapter, the machine, the versions, the grammar."""


def differences(one: Manifest, other: Manifest) -> Differences:
    """What differs between two manifests, except for which of the suite's jobs were run."""
    first, second = one.model_dump(mode="json", by_alias=True), other.model_dump(mode="json", by_alias=True)
    asked = [
        *_with_values(first, second, _ASKED_WITH_VALUES),
        *_named(first, second, _ASKED),
        *_prompts(one, other),
        *_settings(one.generation, other.generation),
    ]
    answered = [
        *_with_values(first, second, _ANSWERED_WITH_VALUES),
        *_adapters(first.get("adapter"), second.get("adapter")),
        *_named(first, second, _ANSWERED),
        *_grammars(one, other),
        *(f"the version of {words}" for words in _settings(one.versions, other.versions)),
    ]
    return Differences(tuple(asked), tuple(answered))


def _differ(first: Mapping[str, Any], second: Mapping[str, Any], key: str) -> bool:
    return bool(first.get(key) != second.get(key))


def _with_values(first: Mapping[str, Any], second: Mapping[str, Any], keys: Mapping[str, str]) -> Iterator[str]:
    for key, name in keys.items():
        if _differ(first, second, key):
            yield _format(name, first.get(key), second.get(key))


def _named(first: Mapping[str, Any], second: Mapping[str, Any], keys: Mapping[str, str]) -> Iterator[str]:
    return (name for key, name in keys.items() if _differ(first, second, key))


def _prompts(one: Manifest, other: Manifest) -> Iterator[str]:
    first, second = ({prompt.name: prompt for prompt in manifest.prompts} for manifest in (one, other))
    for name in {**first, **second}:
        if name in first and name in second and first[name] != second[name]:
            yield f"prompt {name}"


def _settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[str]:
    return _with_values(first, second, {key: key for key in {**first, **second}})


def _adapters(first: Mapping[str, Any] | None, second: Mapping[str, Any] | None) -> Iterator[str]:
    """By their names; adapters of the same name may have different files."""
    names, files = ([(each or {}).get(key) for each in (first, second)] for key in ("name", "sha256"))
    if names[0] != names[1]:
        yield _format("adapter", *names)
    elif files[0] != files[1]:
        yield f"the files of the adapter {_format_value(names[0])}"


def _grammars(one: Manifest, other: Manifest) -> Iterator[str]:
    """Which library made the grammar, for prompts that have one in both runs."""
    first, second = (
        {prompt: grammar.backend for grammar in manifest.grammars for prompt in grammar.prompts}
        for manifest in (one, other)
    )
    for name in first:
        if name in second and first[name] != second[name]:
            yield _format(f"what made the grammar of prompt {name}", first[name], second[name])


def _format(name: str, first: Any, second: Any) -> str:
    return f"{name} ({_format_value(first)}, {_format_value(second)})"


def _format_value(value: Any) -> str:
    if value is None:
        return _NONE
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
