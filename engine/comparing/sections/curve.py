"""Several runs beside the baseline: a table by arm and prompt, the runs in the order in which they were named."""

from __future__ import annotations

from collections.abc import Iterator

from engine.comparing.comparison import ComparedRun, Comparison
from engine.comparing.outcomes import Outcome
from engine.comparing.results import Result
from engine.comparing.sections.words import (
    ALL_PROMPTS,
    conclusion_cell,
    difference_cell,
    rate_cells,
    rows_of,
    test_words,
)
from engine.records import ARMS, Arm
from engine.runs.document import Block, Cell, Quoted, Section, Table, cell, paragraph

_HEADS = ("as asked", "run − baseline", "McNemar's exact test", "fixed", "regressed", "conclusion")
_OTHERS: tuple[tuple[Outcome, str], ...] = (("strict", "strict"), ("schema", "schema"), ("values", "right values"))


def curve(comparison: Comparison) -> Section:
    """The rates of each run, from the baseline on."""
    return Section("curve", "Run by run", tuple(_curve(comparison)))


def _curve(comparison: Comparison) -> Iterator[Block]:
    yield paragraph(
        "Shares have their 95% interval in brackets. Those of a run are of the jobs that were decoded in it and in the "
        "baseline, and its difference is from the baseline on the same jobs."
    )
    if len({compared.pairs for compared in (comparison.itself, *comparison.runs)}) > 1:
        yield paragraph("The runs do not have the same jobs: compare their rates with one another with care.")
    heads = ("prompt", "run", *_HEADS, *(words for _, words in _OTHERS))
    for arm in ARMS:
        caption = f"{arm}, run by run"
        yield Table(caption, tuple((head,) for head in heads), tuple(_rows(comparison, arm)))


def _rows(comparison: Comparison, arm: Arm) -> Iterator[tuple[Cell, ...]]:
    for prompt in rows_of(comparison.itself.arms[arm], "ok"):
        for compared in (comparison.itself, *comparison.runs):
            first = cell(ALL_PROMPTS if prompt is None else Quoted(prompt))
            yield first, cell(Quoted(compared.label)), *_cells(compared, arm, prompt, compared is comparison.itself)


def _cells(compared: ComparedRun, arm: Arm, prompt: str | None, is_baseline: bool) -> Iterator[Cell]:
    results = compared.arms[arm]
    outcomes = results.overall if prompt is None else results.prompts.get(prompt)
    if outcomes is None:
        yield cell("no job of this prompt")
        yield from [cell("")] * (len(_HEADS) + len(_OTHERS) - 1)
        return
    asked = outcomes["ok"]
    yield _rate(asked, "ok")
    if is_baseline:
        yield from [*[cell("")] * (len(_HEADS) - 2), cell("the baseline")]
    else:
        yield difference_cell(asked)
        yield from (cell(words) for words in (test_words(asked), f"{asked.fixed:,}", f"{asked.regressed:,}"))
        yield conclusion_cell(asked.conclusion)
    yield from (_rate(outcomes[outcome], outcome) for outcome, _ in _OTHERS)


def _rate(result: Result, outcome: Outcome) -> Cell:
    return rate_cells(result, outcome)[1]
