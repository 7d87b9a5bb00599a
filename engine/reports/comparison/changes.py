"""What has changed, by class and by job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from engine.comparing.comparison import ComparedRun
from engine.comparing.counting import ArmResults, Change
from engine.judging.verdict import FailureClass
from engine.reports.document import Block, Cell, Line, Quoted, Section, Table, cell, paragraph
from engine.reports.figures import format_count
from engine.statistics import Share
from engine.text import plural

_ORDER: tuple[FailureClass, ...] = get_args(FailureClass)


def classes(compared: ComparedRun) -> Section:
    """The first classes of the verdicts in both runs."""
    return Section("classes", "By class", tuple(_classes(compared)))


def _classes(compared: ComparedRun) -> Iterator[Block]:
    yield paragraph(
        "Each reply counts under the first class of its verdict. Fixed: of this class in the baseline, as asked in the "
        "run. Regressed: as asked in the baseline, of this class in the run."
    )
    head: tuple[Line, ...] = (("class",), ("baseline",), ("run",), ("fixed",), ("regressed",))
    for arm, results in compared.arms.items():
        if results.classes:
            yield Table(f"First classes, {arm}, all prompts", head, tuple(_class_rows(results)))


def _class_rows(results: ArmResults) -> Iterator[tuple[Cell, ...]]:
    moves = results.classes
    total = sum(moves.values())
    for each in _ORDER:
        before = sum(count for (one, _), count in moves.items() if one == each)
        after = sum(count for (_, other), count in moves.items() if other == each)
        if not before and not after:
            continue
        shares = (cell(format_count(Share(count, total))) for count in (before, after))
        flips = (moves.get((each, "ok"), 0), moves.get(("ok", each), 0)) if each != "ok" else None
        yield cell(Quoted(each)), *shares, *(cell(f"{count:,}") for count in flips or ()), *_blank(flips)


def _blank(flips: tuple[int, int] | None) -> tuple[Cell, ...]:
    return (cell(""), cell("")) if flips is None else ()


def regressed(compared: ComparedRun) -> Section:
    """Every job whose reply was as asked and is no longer."""
    return Section("regressed", "Regressed jobs", tuple(_changes(compared, "regressed")))


def fixed(compared: ComparedRun) -> Section:
    """Every job whose reply is as asked and was not."""
    return Section("fixed", "Fixed jobs", tuple(_changes(compared, "fixed")))


def _changes(compared: ComparedRun, kind: str) -> Iterator[Block]:
    for arm, results in compared.arms.items():
        changes = results.regressed if kind == "regressed" else results.fixed
        if not changes:
            yield paragraph(f"{arm}: no job was {kind}." if kind == "fixed" else f"{arm}: no job has regressed.")
            continue
        rows = tuple(_change_row(change) for change in changes)
        yield Table(f"{plural(len(changes), 'job')} {kind}, {arm}", (("job",), ("baseline",), ("run",)), rows)


def _change_row(change: Change) -> tuple[Cell, ...]:
    return cell(Quoted(change.job.id)), cell(Quoted(change.before)), cell(Quoted(change.after))
