"""Several runs against the baseline: a table by arm and prompt, the runs in the order in which they were named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from engine.comparing.comparison import Comparison
from engine.comparing.outcomes import Outcome
from engine.comparing.results import Result
from engine.records import ARMS, Arm
from engine.reports.comparison.cells import ALL_PROMPTS, DIFFERENCE_HEADS, difference_cells, rate_cells, rows_of
from engine.reports.document import Block, Cell, Quoted, Section, Table, cell, paragraph

_ASKED = ("prompt", "run", "as asked", *DIFFERENCE_HEADS)
_OTHERS: dict[Outcome, str] = {"strict": "strict", "schema": "schema", "values": "right values"}


def curve(comparison: Comparison) -> Section:
    """The rates of the baseline and of each run."""
    return Section("curve", "Run by run", tuple(_curve(comparison)))


def _curve(comparison: Comparison) -> Iterator[Block]:
    yield paragraph(
        "Shares have their 95% interval in brackets. Those of a run cover the jobs that were decoded in it and in the "
        "baseline, and its difference is from the baseline on the same jobs."
    )
    if len({compared.pairs for compared in (comparison.baseline, *comparison.runs)}) > 1:
        yield paragraph("The runs do not have the same jobs: compare their rates with one another with care.")
    for arm in ARMS:
        yield _table(f"Replies as asked, {arm}", _ASKED, comparison, arm, _asked)
    for arm in ARMS:
        yield _table(f"The other rates, {arm}", ("prompt", "run", *_OTHERS.values()), comparison, arm, _others)


def _table(
    caption: str,
    heads: tuple[str, ...],
    comparison: Comparison,
    arm: Arm,
    cells: Callable[[Mapping[Outcome, Result], bool], Iterator[Cell]],
) -> Table:
    """A row for each prompt and run. cells: the cells of a row after its prompt and run; True for the baseline."""
    rows = []
    for prompt in rows_of(comparison.baseline.arms[arm], "ok"):
        for compared in (comparison.baseline, *comparison.runs):
            results = compared.arms[arm]
            outcomes = results.overall if prompt is None else results.prompts.get(prompt)
            rest = cells(outcomes, compared is comparison.baseline) if outcomes is not None else _none(len(heads) - 2)
            first = cell(ALL_PROMPTS if prompt is None else Quoted(prompt))
            rows.append((first, cell(Quoted(compared.label)), *rest))
    return Table(caption, tuple((head,) for head in heads), tuple(rows))


def _asked(outcomes: Mapping[Outcome, Result], is_baseline: bool) -> Iterator[Cell]:
    asked = outcomes["ok"]
    yield _rate(asked, "ok")
    if is_baseline:
        yield from (cell(text) for text in ("", "the baseline", "", ""))
    else:
        yield from difference_cells(asked)


def _others(outcomes: Mapping[Outcome, Result], is_baseline: bool) -> Iterator[Cell]:
    yield from (_rate(outcomes[outcome], outcome) for outcome in _OTHERS)


def _none(cells: int) -> Iterator[Cell]:
    yield cell("no job of this prompt")
    yield from [cell("")] * (cells - 1)


def _rate(result: Result, outcome: Outcome) -> Cell:
    return rate_cells(result, outcome)[1]
