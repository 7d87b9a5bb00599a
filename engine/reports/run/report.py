"""`jsonbreak report`: the findings of a run as a report that is read without the program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.reports.document import Document, Line, Quoted
from engine.reports.rendering import render
from engine.reports.run.cost import cost
from engine.reports.run.failures import failures
from engine.reports.run.findings import Findings, gather
from engine.reports.run.jobs import appendix, examples
from engine.reports.run.method import method
from engine.reports.run.results import comparison, rates
from engine.reports.run.stability import consistency
from engine.reports.run.summary import glossary, in_short
from engine.reports.run.what_was_run import what_was_run
from engine.runs.reading import RunFolder, find_run


def report(run: str, runs: Path, *, html: bool) -> Iterator[str]:
    """The report of a run (a folder, the name of one in `runs`, or "last"), in parts.

    Raises BadInputError if there is no such run.
    """
    folder = find_run(run, runs)
    return render(document_of(folder, gather(folder)), html=html)


def document_of(run: RunFolder, findings: Findings) -> Document:
    """The sections of the report, in order. The appendix is read from disk while it is written."""
    sections = (
        in_short(findings),
        what_was_run(run, findings),
        glossary(findings),
        rates(findings),
        comparison(findings),
        failures(findings),
        consistency(findings, run.manifest.generation.get("temperature")),
        cost(findings),
        examples(run, findings),
        method(),
        appendix(run, findings),
    )
    return Document(_title(run), sections)


def _title(run: RunFolder) -> Line:
    manifest = run.manifest
    if manifest.suite is None or manifest.model is None:
        return "Findings of the run ", Quoted(run.folder.resolve().name)
    return "Findings: ", Quoted(manifest.suite), " on ", Quoted(manifest.model)
