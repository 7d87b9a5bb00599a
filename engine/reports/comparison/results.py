"""The rates of two runs by prompt and arm, and by variation, with what their difference shows."""

from __future__ import annotations

from collections.abc import Iterator

from engine.comparing.comparison import ComparedRun
from engine.comparing.outcomes import OUTCOMES, Outcome
from engine.comparing.results import Result
from engine.reports.comparison.cells import ALL_PROMPTS, DIFFERENCE_HEADS, difference_cells, rate_cells, rows_of
from engine.reports.document import Block, Cell, Line, Quoted, Section, Table, cell, paragraph

_CAPTIONS: dict[Outcome, str] = {
    "ok": "Replies as asked: JSON and nothing else, valid by the schema, with the expected values",
    "strict": "Strict: the whole reply is one JSON value, with nothing around it but whitespace",
    "schema": "Schema: the value in the reply, wrapped or not, satisfies the JSON Schema",
    "values": "Right values: the value in the reply, wrapped or not, equals what was expected",
}
_HEADS = ("baseline", "run", *DIFFERENCE_HEADS)


def rates(compared: ComparedRun) -> Section:
    """A table for each outcome."""
    return Section("rates", "By prompt and arm", tuple(_rates(compared)))


def _rates(compared: ComparedRun) -> Iterator[Block]:
    yield paragraph(
        "Shares cover the jobs whose reply was decoded in both runs, with the 95% interval in brackets. Fixed: so "
        "only in the run. Regressed: so only in the baseline."
    )
    head: tuple[Line, ...] = (("prompt",), ("arm",), *((each,) for each in _HEADS))
    for outcome in OUTCOMES:
        rows = [
            (cell(ALL_PROMPTS if name is None else Quoted(name)), cell(arm), *_cells(result, outcome))
            for arm, results in compared.arms.items()
            for name, result in rows_of(results, outcome).items()
        ]
        yield Table(_CAPTIONS[outcome], head, tuple(rows))


def variations(compared: ComparedRun) -> Section:
    """Replies as asked by variation of the input."""
    return Section("variations", "By variation", tuple(_variations(compared)))


def _variations(compared: ComparedRun) -> Iterator[Block]:
    if not any(name is not None for results in compared.arms.values() for name in results.variations):
        yield paragraph("The jobs that were compared have no variations of their inputs.")
        return
    head: tuple[Line, ...] = (("variation",), *((each,) for each in _HEADS))
    for arm, results in compared.arms.items():
        rows = [
            (cell("as written" if name is None else Quoted(name)), *_cells(result, "ok"))
            for name, result in results.variations.items()
        ]
        yield Table(f"Replies as asked by variation, {arm}, all prompts", head, tuple(rows))


def _cells(result: Result, outcome: Outcome) -> Iterator[Cell]:
    yield from rate_cells(result, outcome)
    yield from difference_cells(result)
