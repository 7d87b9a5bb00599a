"""`jsonbreak compare`: a comparison of runs as a report, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from engine.comparing.comparison import Comparison
from engine.reports.comparison.as_json import write_json
from engine.reports.comparison.changes import classes, fixed, regressed
from engine.reports.comparison.curve import curve
from engine.reports.comparison.examples import examples
from engine.reports.comparison.method import method
from engine.reports.comparison.results import rates, variations
from engine.reports.comparison.runs import what_was_compared
from engine.reports.comparison.summary import in_short, regression_line
from engine.reports.document import Document, Line, Quoted, Section, comma_separated
from engine.reports.rendering import render
from engine.text import printable

Form: TypeAlias = Literal["markdown", "html", "json"]


def report(comparison: Comparison, form: Form) -> Iterator[str]:
    """The report of a comparison in one of its forms, in parts."""
    if form == "json":
        return write_json(comparison)
    return render(document_of(comparison), html=form == "html")


def format_regressions(comparison: Comparison) -> Iterator[str]:
    """A line for a terminal for each regression."""
    for compared in comparison.runs:
        for regression in compared.regressions:
            line = regression_line(compared, regression)
            yield printable("".join(part if isinstance(part, str) else part.text for part in line))


def document_of(comparison: Comparison) -> Document:
    """Of one run everything, down to its jobs; of several only the rates, run by run."""
    short, what = in_short(comparison), what_was_compared(comparison)
    if len(comparison.runs) > 1:
        return Document(_title(comparison), (short, what, curve(comparison), method()))
    [compared] = comparison.runs
    sections: tuple[Section, ...] = (
        short,
        what,
        rates(compared),
        classes(compared),
        variations(compared),
        examples(comparison.baseline.run, compared),
        method(),
        regressed(compared),
        fixed(compared),
    )
    return Document(_title(comparison), sections)


def _title(comparison: Comparison) -> Line:
    runs = comma_separated(compared.label for compared in comparison.runs)
    return "Comparison: ", *runs, " against ", Quoted(comparison.baseline.label)
