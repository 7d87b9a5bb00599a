"""A comparison as a report of sections, which the templates of reports make Markdown or HTML of."""

from __future__ import annotations

from engine.comparing.comparison import Comparison
from engine.reports.comparison.changes import classes, fixed, regressed
from engine.reports.comparison.curve import curve
from engine.reports.comparison.examples import examples
from engine.reports.comparison.method import method
from engine.reports.comparison.results import rates, variations
from engine.reports.comparison.runs import what_was_compared
from engine.reports.comparison.summary import in_short
from engine.reports.document import Document, Line, Quoted, Section, listed


def document_of(comparison: Comparison) -> Document:
    """Of one run everything, job by job; of several the rates, run by run."""
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
        examples(comparison.itself.run, compared),
        method(),
        regressed(compared),
        fixed(compared),
    )
    return Document(_title(comparison), sections)


def _title(comparison: Comparison) -> Line:
    runs = listed(compared.label for compared in comparison.runs)
    return "Comparison: ", *runs, " against ", Quoted(comparison.itself.label)
