"""A comparison as a report of sections, which the templates of reports make Markdown or HTML of."""

from __future__ import annotations

from engine.comparing.comparison import Comparison
from engine.comparing.sections.changes import classes, fixed, regressed
from engine.comparing.sections.curve import curve
from engine.comparing.sections.examples import examples
from engine.comparing.sections.method import method
from engine.comparing.sections.results import rates, variations
from engine.comparing.sections.runs import what_was_compared
from engine.comparing.sections.short import in_short
from engine.runs.document import Document, Line, Quoted, Section, listed


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
