"""A manifest in words, for the report and for `jsonbreak show`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeAlias

from engine.reports.document import Block, Items, Line, Quoted, comma_separated, paragraph
from engine.runs.run_manifest import AdapterFacts, GrammarFacts, Manifest, PromptText

Row: TypeAlias = tuple[Line, Line]
"""The name of a fact and its value."""

_FACTS: dict[str, dict[str, str | Quoted]] = {
    "The model": {
        "model": "model",
        "model_sha256": "SHA-256 of the model's files",
        "tokenizer_sha256": "SHA-256 of the tokenizer",
        "chat_template_sha256": "SHA-256 of the chat template",
        "adapter": "adapter",
        "server_url": "server",
        "server": "what serves it",
        "device": "device",
        "device_name": "processor or GPU",
        "dtype": "number format",
        "attention": "attention",
        "batch": "batch size at most",
    },
    "What it was asked": {
        "suite": "suite",
        "suite_file": "suite file",
        "suite_sha256": "SHA-256 of the suite file",
        "selection": "which of its jobs",
        "variations": "variations",
        "compare": "how values are compared",
        "generation": "settings",
        "grammar": "grammar asked for",
        "whitespace_pattern": "whitespace that the grammar allows",
    },
    "The run": {
        "command_line": "command line",
        "trial_of": "a trial of",
        "started": "started",
        "resumed": "resumed",
        "ended": "ended",
        "took": "took",
        "jsonbreak": "jsonbreak",
        "versions": "versions",
    },
}
_ELSEWHERE = {
    *("json_schema", "prompts", "grammars", "constrained_error", "jobs", "done", "cancelled", "stopped", "rates"),
    *("suite_text", "prompts_sha256", "model_files"),  # too long to read; the manifest has them
}
_NOTHING: tuple[Any, ...] = (None, [], {})


def facts(manifest: Manifest) -> Iterator[tuple[str, list[Row]]]:
    """The single facts under headings. What the manifest does not say is left out."""
    values = manifest.model_dump() | {"took": _took(manifest)}
    known = {*_ELSEWHERE, *(key for names in _FACTS.values() for key in names)}
    newer = {"What newer versions write": {key: Quoted(key) for key in values if key not in known}}
    for heading, names in (_FACTS | newer).items():
        rows: list[Row] = [((name,), _value(key, values.get(key))) for key, name in names.items()]
        if said := [row for row in rows if row[1]]:
            yield heading, said


def prompt_text(prompt: PromptText) -> str:
    """The templates of its messages as the suite has them, and its other settings."""
    examples = [_as_text(example) for example in prompt.examples]
    parts = {
        "system": prompt.system,
        "examples": "\n".join(examples),
        "user": prompt.user,
        "beginning of the reply": prompt.prefill,
        "thinking": _as_text(prompt.think) if prompt.think else None,
        "chat template": _as_text(prompt.chat_template_kwargs) if prompt.chat_template_kwargs else None,
        "source": prompt.source,
    }
    return "\n\n".join(f"[{name}]\n{text}" for name, text in parts.items() if text)


def schemas(manifest: Manifest) -> Iterator[tuple[Line, Any]]:
    """Each schema once, with the names of its prompts if there are several schemas."""
    of_grammars = [(grammar.prompts, grammar.json_schema) for grammar in manifest.grammars if grammar.json_schema]
    if len(of_grammars) > 1:
        for prompts, schema in of_grammars:
            yield (" of ", *comma_separated(prompts)), schema
    elif of_grammars or manifest.json_schema is not None:
        yield (), of_grammars[0][1] if of_grammars else manifest.json_schema


def grammars(manifest: Manifest) -> Iterator[Block]:
    """Which library made the grammar of which prompts, and what it does not enforce."""
    if not manifest.grammars:
        return
    yield paragraph(
        "The grammar of the constrained arm. The judge still checks what it does not enforce, so a constrained reply "
        "can fail on that."
    )
    yield Items(tuple(_grammar_line(grammar) for grammar in manifest.grammars))


def describe_adapter(adapter: AdapterFacts) -> str:
    """Its name, where it comes from, and whether it has an effect, as far as that is known."""
    parts = [adapter.name + (f" from {adapter.path}" if adapter.path else "")]
    parts += [f"trained on {adapter.base}"] if adapter.base else []
    parts += [f"changes the logits of a probe by up to {adapter.live:.3g}"] if adapter.live is not None else []
    parts += [f"SHA-256 {adapter.sha256}"] if adapter.sha256 else []
    return ", ".join(parts)


def _value(key: str, value: Any) -> Line:
    """Empty if the manifest says nothing."""
    if value in _NOTHING:
        return ()
    if key == "adapter":
        return (Quoted(describe_adapter(AdapterFacts.model_validate(value))),)
    if key == "command_line":
        return (Quoted(shlex.join(value)),)
    if key == "took":
        return (value,)
    if key == "resumed":
        return comma_separated(value)
    if isinstance(value, dict):
        return comma_separated(f"{name} {_as_text(each)}" for name, each in value.items() if each not in _NOTHING)
    return (Quoted(_as_text(value)),)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _grammar_line(grammar: GrammarFacts) -> Line:
    prompts = comma_separated(grammar.prompts)
    if grammar.backend is None:
        return (
            *prompts,
            ": no grammar, so no constrained arm: ",
            Quoted(grammar.error or "no reason is recorded", prose=True),
        )
    made = (*prompts, ": made by ", Quoted(grammar.backend))
    if not grammar.unenforced:
        return (*made, ", which reports no keyword of the schema that it leaves unenforced.")
    keywords = comma_separated(f"{item.keyword} at {item.pointer or '/'}" for item in grammar.unenforced)
    return (*made, "; not enforced: ", *keywords, ".")


def _took(manifest: Manifest) -> str | None:
    try:
        began, ended = (datetime.fromisoformat(time or "") for time in (manifest.started, manifest.ended))
        return f"{(ended - began).total_seconds():,.0f} s from start to end"
    except (ValueError, TypeError):  # not a time, or one with and one without a time zone
        return None
