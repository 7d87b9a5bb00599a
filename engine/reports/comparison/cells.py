"""The words and cells that several sections share."""

from __future__ import annotations

from collections.abc import Iterator

from engine.comparing.counting import ArmResults
from engine.comparing.outcomes import Outcome
from engine.comparing.results import Result
from engine.reports.document import Cell, cell
from engine.reports.figures import format_count, format_difference, format_p, share_cell

DIFFERENCE_HEADS = ("run − baseline, points", "conclusion", "McNemar's test", "fixed / regressed")
ALL_PROMPTS = "all"
NO_PAIRS = "no reply was decoded in both runs"
_NOTHING: dict[Outcome, str] = {"values": "nothing was expected"}
_SHADE = 0.5  # of cells with the words better and worse


def difference_cells(result: Result) -> Iterator[Cell]:
    """The cells under DIFFERENCE_HEADS."""
    yield cell(format_points(result).replace(" points", ""))
    conclusion = result.conclusion
    if conclusion in ("better", "worse"):
        yield Cell((conclusion,), shade=_SHADE, good=conclusion == "better")
    else:
        yield cell(conclusion)
    yield cell(format_test(result))
    yield cell(f"{result.fixed:,} / {result.regressed:,}" if result.n else "")


def format_points(result: Result) -> str:
    """`+12.0 points (−3.1 to +25.4)`; "" if there are no pairs."""
    if result.difference is None or result.interval is None:
        return ""
    return format_difference(result.difference, result.interval)


def format_test(result: Result) -> str:
    """`p = 0.031`, or words if there is nothing to test."""
    return format_p(result.p) if result.p is not None else "no case differs" if result.n else ""


def rate_cells(result: Result, outcome: Outcome) -> tuple[Cell, Cell]:
    """The share in the baseline and in the run."""
    nothing = _NOTHING.get(outcome, NO_PAIRS)
    baseline, run = (share_cell(share, nothing, result.design_effect) for share in (result.baseline, result.run))
    return baseline, run


def format_result(result: Result) -> str:
    """`12 of 40, then 30 of 40: +45.0 points (+27.1 to +60.2), p < 0.001; 19 fixed, 1 regressed`."""
    if not result.n:
        return NO_PAIRS
    shares = f"{format_count(result.baseline)}, then {format_count(result.run)}"
    flips = f"{result.fixed:,} fixed, {result.regressed:,} regressed"
    return f"{shares}: {format_points(result)}, {format_test(result)}; {flips}"


def rows_of(results: ArmResults, outcome: Outcome) -> dict[str | None, Result]:
    """By prompt, and over all prompts (None) if there are several."""
    rows: dict[str | None, Result] = {name: each[outcome] for name, each in results.prompts.items()}
    return {None: results.overall[outcome], **rows} if len(rows) > 1 else rows
