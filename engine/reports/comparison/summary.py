"""In short: a line for each run and arm, and whether anything is worse."""

from __future__ import annotations

from collections.abc import Iterator

from engine.comparing.comparison import ComparedRun, Comparison, Regression
from engine.reports.comparison.cells import NO_PAIRS, format_points, format_result
from engine.reports.document import Block, Items, Line, Quoted, Section, paragraph


def in_short(comparison: Comparison) -> Section:
    """Replies as asked, over all prompts."""
    return Section("short", "In short", tuple(_blocks(comparison)))


def _blocks(comparison: Comparison) -> Iterator[Block]:
    yield paragraph("Replies as asked, in the baseline and then in the run, over all prompts:")
    several = len(comparison.runs) > 1
    yield Items(tuple(line for compared in comparison.runs for line in _lines(compared, named=several)))
    regressions = [(compared, each) for compared in comparison.runs for each in compared.regressions]
    if not regressions:
        yield paragraph(
            "No regression is shown: under no prompt has an arm fewer replies as asked by more than chance explains."
        )
        return
    yield paragraph("Regressions, where fewer replies are as asked by more than chance explains:")
    yield Items(tuple(regression_line(compared, each) for compared, each in regressions))


def _lines(compared: ComparedRun, *, named: bool) -> Iterator[Line]:
    name: Line = (Quoted(compared.label), ", ") if named else ()
    for arm, results in compared.arms.items():
        overall = results.overall["ok"]
        result = f": {overall.conclusion}. {format_result(overall)}." if overall.n else f": {NO_PAIRS}."
        yield *name, arm, result


def regression_line(compared: ComparedRun, regression: Regression) -> Line:
    """`tuned, free, prompt naive: −12.0 points (−20.1 to −3.9)`."""
    place: Line = (", all prompts: ",) if regression.prompt is None else (", prompt ", Quoted(regression.prompt), ": ")
    return Quoted(compared.label), f", {regression.arm}", *place, format_points(regression.result)
