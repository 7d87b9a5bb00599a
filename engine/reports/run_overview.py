"""`jsonbreak show`: one run, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from engine.errors import BadInputError
from engine.records import ARMS, Arm
from engine.reports.document import Items, Line, Paragraph, Quoted
from engine.reports.figures import share_cell
from engine.reports.manifest_words import facts, grammars, prompt_text, schemas
from engine.reports.run_list import SHARES, rates_data
from engine.runs.listing import Ending, ListedRun, list_run
from engine.runs.rates import ArmRates
from engine.runs.reading import RunFolder
from engine.runs.run_manifest import Manifest
from engine.runs.store import MANIFEST
from engine.runs.summaries import SummaryReader, describe_losses
from engine.statistics import Clusters
from engine.text import plural, printable

_LABEL = 13  # cells: with margins, a SHA-256 ends at the 80th


@dataclass(frozen=True, slots=True)
class Overview:
    """What is shown of a run."""

    run: RunFolder
    listed: ListedRun
    records: int
    rates: dict[Arm, ArmRates]
    """Counted from its records."""
    design_effects: dict[Arm, float]
    """Counted likewise."""
    losses: list[str]
    """What cannot be read of it, a sentence each."""


def overview(run: RunFolder) -> Overview:
    """Read the verdicts of all records. Raises BadInputError if they cannot be read."""
    rates, clusters = {arm: ArmRates() for arm in ARMS}, {arm: Clusters() for arm in ARMS}
    reader, records = SummaryReader(run.folder), 0
    try:
        for batch in reader.batches():
            records += len(batch)
            for info, job in batch:
                for arm in ARMS:
                    rates[arm].add(job.of(arm))
                    if job.of(arm) is not None:
                        clusters[arm].add(info.case)
    except OSError as error:
        raise BadInputError(f"{printable(str(run.folder))}: cannot be read ({error.strerror}).") from error
    effects = {arm: clusters[arm].design_effect for arm in ARMS}
    return Overview(run, list_run(run.folder), records, rates, effects, describe_losses(reader))


def as_data(shown: Overview) -> dict[str, Any]:
    """For JSON: the state, the rates with their intervals, and the manifest as it is on disk."""
    manifest = None if shown.run.manifest_error else json.loads((shown.run.folder / MANIFEST).read_bytes())
    return {
        "name": shown.run.folder.resolve().name,
        "folder": str(shown.run.folder),
        "state": shown.listed.ending.value,
        "records": shown.records,
        "rates": rates_data(shown.rates, shown.design_effects),
        "problems": [*([shown.run.manifest_error] if shown.run.manifest_error else []), *shown.losses],
        "manifest": manifest,
    }


def as_text(shown: Overview) -> RenderableType:
    """Sections of lines, with prompts and schemas in full."""
    manifest = shown.run.manifest
    parts = [
        Text(printable(shown.run.folder.resolve().name), style="bold"),
        *(_indented(sentence) for sentence in _state(shown)),
        *_section("Replies: the share, and its 95 % interval", _rates(shown)),
    ]
    for heading, rows in facts(manifest):
        parts += _section(heading, [(_plain(name), _plain(value)) for name, value in rows])
    parts += _texts(manifest)
    return Group(*parts)


def _state(shown: Overview) -> Iterator[str]:
    jobs, manifest = shown.listed.total, shown.run.manifest
    of = f" of {jobs:,}" if jobs is not None else ""
    resume = "; it can be resumed" if shown.listed.ending in (Ending.STOPPED, Ending.INTERRUPTED) else ""
    yield f"{shown.listed.ending.value}: {shown.records:,}{of} jobs finished{resume if manifest.jobs else ''}"
    if shown.run.manifest_error:
        yield f"{shown.run.manifest_error}: what was run is not known."
    if manifest.cancelled:
        yield f"{plural(manifest.cancelled, 'job was', 'jobs were')} cancelled by the user and counted nowhere."
    if manifest.constrained_error:
        yield f"There is no constrained arm: {printable(manifest.constrained_error)}"
    yield from shown.losses


def _rates(shown: Overview) -> Iterator[tuple[str, str]]:
    for arm in ARMS:
        rates, effect = shown.rates[arm], shown.design_effects[arm]
        for number, (name, label) in enumerate(SHARES.items()):
            share = _plain(share_cell(getattr(rates, name), "none", effect).line)
            yield arm if number == 0 else "", f"{label:<15}{share}"
        if rates.errors:
            yield "", f"{'not decoded':<15}{rates.errors:,}"


def _texts(manifest: Manifest) -> Iterator[RenderableType]:
    for block in grammars(manifest):
        if isinstance(block, Paragraph):
            yield from _heading("The grammar")
            yield Padding(Text(_plain(block.line)), (0, 0, 0, 2))
        elif isinstance(block, Items):
            yield from (Padding(Text(_plain(line)), (1, 0, 0, 2)) for line in block.lines)
    for prompt in manifest.prompts:
        sha256 = manifest.prompts_sha256.get(prompt.name)
        yield from _heading(f"The prompt {printable(prompt.name)}")
        yield from ([_indented(f"SHA-256 {printable(sha256)}"), Text()] if sha256 else [])
        yield from map(_indented, prompt_text(prompt).split("\n"))
    for names, schema in schemas(manifest):
        yield from _heading(f"The JSON Schema{_plain(names)}")
        yield from map(_indented, json.dumps(schema, indent=2, ensure_ascii=False).split("\n"))


def _section(heading: str, rows: Any) -> Iterator[RenderableType]:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=_LABEL, overflow="fold")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    if table.row_count:
        yield from _heading(heading)
        yield Padding(table, (0, 0, 0, 2))


def _heading(title: str) -> Iterator[RenderableType]:
    yield Text()
    yield Text(title, style="bold")


def _indented(line: str) -> RenderableType:
    return Padding(Text(printable(line)), (0, 0, 0, 2))


def _plain(line: Line) -> str:
    return "".join(printable(part.text) if isinstance(part, Quoted) else part for part in line)
