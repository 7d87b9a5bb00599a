"""What was run, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator

from engine.reports.document import Block, Facts, Items, Line, Quoted, Section, Text
from engine.reports.manifest_words import facts, grammars, prompt_text, schemas
from engine.reports.run.findings import Findings
from engine.runs.reading import RunFolder
from engine.text import plural

_SHOWN_LINES = 5


def what_was_run(run: RunFolder, findings: Findings) -> Section:
    """The manifest in words, and everything unusual about the run."""
    return Section("run", "What was run", tuple(_blocks(run, findings)))


def _blocks(run: RunFolder, findings: Findings) -> Iterator[Block]:
    yield Items(tuple(_state(run, findings)))
    name = ("run",), (Quoted(run.folder.resolve().name),)
    yield Facts((name, *(row for _, rows in facts(run.manifest) for row in rows)))
    yield from grammars(run.manifest)
    for prompt in run.manifest.prompts:
        about: Line = (": ", Quoted(prompt.about, prose=True)) if prompt.about else ()
        yield Text(("The prompt ", Quoted(prompt.name), *about), prompt_text(prompt))
    for names, schema in schemas(run.manifest):
        yield Text(("The JSON Schema", *names), json.dumps(schema, indent=2, ensure_ascii=False))


def _state(run: RunFolder, findings: Findings) -> Iterator[Line]:
    manifest = run.manifest
    if run.manifest_error:
        yield (f"{run.manifest_error}: what was run is not known, and what follows is from the records alone.",)
    planned = f" of {plural(manifest.jobs, 'job')}" if manifest.jobs else ""
    finished = f"{findings.records:,}" if findings.records else "none"
    yield (f"{_ending(run)}: {finished}{planned} finished, with {plural(len(findings.cases), 'case')}.",)
    if manifest.cancelled:
        yield (f"{plural(manifest.cancelled, 'job was', 'jobs were')} cancelled by the user and counted nowhere.",)
    if manifest.done is not None and manifest.done != findings.records:
        yield (f"By the manifest {manifest.done:,} jobs are finished, by the records {findings.records:,}.",)
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
        return "The run is unfinished: it is still in progress, or its process was killed"
    return "The run is complete"
