"""A comparison as text: Markdown, a page, or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from engine.comparing.comparison import Comparison
from engine.reports.comparison.as_json import write_json
from engine.reports.comparison.report import document_of
from engine.reports.comparison.summary import regression_line
from engine.reports.rendering import render
from engine.suites.faults import printable

Form: TypeAlias = Literal["markdown", "html", "json"]


def parts_of(comparison: Comparison, form: Form) -> Iterator[str]:
    """The comparison in one of its forms, in parts."""
    if form == "json":
        return write_json(comparison)
    return render(document_of(comparison), html=form == "html")


def regression_words(comparison: Comparison) -> Iterator[str]:
    """A line for a terminal for each regression."""
    for compared in comparison.runs:
        for regression in compared.regressions:
            line = regression_line(compared, regression)
            yield printable("".join(part if isinstance(part, str) else part.text for part in line))
