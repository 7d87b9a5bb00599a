"""The report of a run, written beside its folder."""

from __future__ import annotations

from pathlib import Path


def write_findings(folder: Path) -> Path:
    """Write `<folder>.html`, as `jsonbreak report` does, and give its path. Reads the whole run: call it in a thread.

    Raises BadInputError where the run cannot be read or the file not written.
    """
    from engine.runs.report import report, write_report

    file = folder.with_name(f"{folder.name}.html")
    write_report(report(str(folder), folder.parent, html=True), file)
    return file
