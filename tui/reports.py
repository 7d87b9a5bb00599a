"""Writes the report of a run, or of its comparison with a baseline, next to the run's folder."""

from __future__ import annotations

from pathlib import Path


def write_findings(folder: Path) -> Path:
    """Write `<folder>.html`, as `jsonbreak report` does, and return its path. Reads the whole run: call it in a thread.

    Raises BadInputError where the run cannot be read or the file cannot be written.
    """
    from engine.reports.rendering import write_report
    from engine.reports.run.report import report

    file = folder.with_name(f"{folder.name}.html")
    write_report(report(str(folder), folder.parent, html=True), file)
    return file


def write_comparison(baseline: Path, candidate: Path) -> Path:
    """Write `<candidate>-against-<baseline>.html`, as `jsonbreak compare --anyway` does, and return its path.

    Reads both runs: call it in a thread. Raises BadInputError as above.
    """
    from engine.comparing.comparison import compare
    from engine.reports.comparison.report import report
    from engine.reports.rendering import write_report
    from engine.runs.reading import RunFolder

    file = candidate.with_name(f"{candidate.name}-against-{baseline.name}.html")
    comparison = compare(RunFolder(baseline), [RunFolder(candidate)], anyway=True)
    write_report(report(comparison, "html"), file)
    return file
