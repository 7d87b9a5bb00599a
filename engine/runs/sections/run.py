"""What was run, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from engine.runs.document import Block, Facts, Items, Line, Quoted, Section, Text, listed, paragraph
from engine.runs.figures import plural
from engine.runs.findings import Findings
from engine.runs.reading import GrammarFacts, Manifest, PromptText, RunFolder

_FACTS = {
    "model": "model",
    "adapter": "adapter",
    "device": "device",
    "dtype": "number format",
    "suite": "suite",
    "suite_file": "suite file",
    "suite_sha256": "SHA-256 of the suite file",
    "batch": "rows in a batch at most",
    "whitespace_pattern": "whitespace that the grammar allows",
    "jsonbreak": "jsonbreak",
    "started": "started",
    "ended": "ended",
}
_TOLD_ELSEWHERE = {
    *("json_schema", "prompts", "generation", "grammars", "constrained_error", "versions"),
    *("jobs", "done", "cancelled", "stopped"),
}
_SHOWN_LINES = 5


def what_was_run(run: RunFolder, findings: Findings) -> Section:
    """The manifest in words, and everything about the run that is not as it should be."""
    return Section("run", "What was run", tuple(_blocks(run, findings)))


def _blocks(run: RunFolder, findings: Findings) -> Iterator[Block]:
    yield Items(tuple(_state(run, findings)))
    yield Facts(tuple(_facts(run, findings)))
    yield from _grammars(run.manifest)
    for prompt in run.manifest.prompts:
        about: Line = (": ", Quoted(prompt.about, prose=True)) if prompt.about else ()
        yield Text(("The prompt ", Quoted(prompt.name), *about), _prompt_text(prompt))
    for names, schema in _schemas(run.manifest):
        yield Text(("The JSON Schema", *names), json.dumps(schema, indent=2, ensure_ascii=False))


def _prompt_text(prompt: PromptText) -> str:
    """The templates of its messages as they stand in the suite, and what else is part of asking."""
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
    return "\n\n".join(f"[{name}]\n{said}" for name, said in parts.items() if said)


def _schemas(manifest: Manifest) -> Iterator[tuple[Line, Any]]:
    """Each schema once, with the names of its prompts where there are several."""
    of_grammars = [(grammar.prompts, grammar.json_schema) for grammar in manifest.grammars if grammar.json_schema]
    if len(of_grammars) > 1:
        for prompts, schema in of_grammars:
            yield (" of ", *listed(prompts)), schema
    elif of_grammars or manifest.json_schema is not None:
        yield (), of_grammars[0][1] if of_grammars else manifest.json_schema


def _state(run: RunFolder, findings: Findings) -> Iterator[Line]:
    manifest = run.manifest
    if run.manifest_error:
        yield (f"{run.manifest_error}: what was run is not known, and below is what the records themselves say.",)
    planned = f" of {plural(manifest.jobs, 'job')}" if manifest.jobs else ""
    finished = f"{findings.records:,}" if findings.records else "none"
    yield (f"{_ending(run)}: {finished}{planned} finished, with {plural(len(findings.cases), 'case')}.",)
    if manifest.cancelled:
        yield (f"{plural(manifest.cancelled, 'job was', 'jobs were')} cancelled by the user and counted nowhere.",)
    if manifest.done is not None and manifest.done != findings.records:
        yield (f"The manifest speaks of {manifest.done:,} finished, the records of {findings.records:,}.",)
    if run.torn:
        yield ("The last line of the records is cut off, as a crash leaves it: it is counted nowhere.",)
    if run.unreadable:
        numbers = ", ".join(f"{number:,}" for number in run.unreadable[:_SHOWN_LINES])
        more = f" and {len(run.unreadable) - _SHOWN_LINES:,} more" if len(run.unreadable) > _SHOWN_LINES else ""
        lines = plural(len(run.unreadable), "line")
        yield (f"{lines} of the records cannot be read and are counted nowhere: line {numbers}{more}.",)
    if manifest.constrained_error:
        yield ("There is no constrained arm: ", Quoted(manifest.constrained_error, prose=True))


def _ending(run: RunFolder) -> str:
    if run.manifest_error:
        return "How the run ended is not known"
    if run.manifest.stopped:
        return "The run was stopped before its end"
    if run.manifest.ended is None:
        return "The run is unfinished: it still goes on, or its process was killed"
    return "The run is complete"


def _facts(run: RunFolder, findings: Findings) -> Iterator[tuple[Line, Line]]:
    manifest = run.manifest.model_dump()
    yield ("run",), (Quoted(run.folder.resolve().name),)
    for key, label in _FACTS.items():
        if manifest.get(key) is not None:
            yield (label,), (_shown(manifest[key]),)
    took = _seconds_between(run.manifest.started, run.manifest.ended)
    if took is not None:
        yield ("took",), (f"{took:,.0f} s from start to end",)
    for key, label in (("generation", "settings"), ("versions", "versions")):
        if manifest[key]:
            yield (label,), _pairs(manifest[key])
    for key, value in manifest.items():  # what newer versions write
        if key not in _FACTS and key not in _TOLD_ELSEWHERE and value is not None:
            yield (Quoted(key),), (_shown(value),)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shown(value: Any) -> Quoted:
    return Quoted(_as_text(value))


def _pairs(values: dict[str, Any]) -> Line:
    return listed(f"{key} {_as_text(value)}" for key, value in values.items())


def _seconds_between(started: str | None, ended: str | None) -> float | None:
    try:
        return (datetime.fromisoformat(ended or "") - datetime.fromisoformat(started or "")).total_seconds()
    except (ValueError, TypeError):  # no time, or one with and one without a zone
        return None


def _grammars(manifest: Manifest) -> Iterator[Block]:
    if not manifest.grammars:
        return
    yield paragraph(
        "The grammar of the constrained arm. What it does not enforce the judge still checks, so a constrained reply "
        "can fail on it."
    )
    yield Items(tuple(_grammar_line(grammar) for grammar in manifest.grammars))


def _grammar_line(grammar: GrammarFacts) -> Line:
    prompts = listed(grammar.prompts)
    if grammar.backend is None:
        return (
            *prompts,
            ": no grammar, so no constrained arm: ",
            Quoted(grammar.error or "no reason is recorded", prose=True),
        )
    made = (*prompts, ": made by ", Quoted(grammar.backend))
    if not grammar.unenforced:
        return (*made, ", which reports no keyword of the schema that it leaves unenforced.")
    keywords = listed(f"{item.keyword} at {item.pointer or '/'}" for item in grammar.unenforced)
    return (*made, "; not enforced: ", *keywords, ".")
