"""The words and cells that several sections share."""

from __future__ import annotations

from collections.abc import Iterator

from engine.comparing.counting import ArmResults
from engine.comparing.outcomes import Outcome
from engine.comparing.results import Result
from engine.reports.document import Cell, cell
from engine.reports.figures import counted, difference_words, p_words, share_cell

DIFFERENCE_HEADS = ("run − baseline, points", "conclusion", "McNemar's test", "fixed / regressed")
ALL_PROMPTS = "all"
NO_PAIRS = "no reply was decoded in both runs"
_NOTHING: dict[Outcome, str] = {"values": "nothing was expected"}
_GROUND = 0.5  # of the cells that say better or worse, beside their words


def difference_cells(result: Result) -> Iterator[Cell]:
    """What stands under DIFFERENCE_HEADS."""
    yield cell(in_points(result).replace(" points", ""))
    found = result.conclusion
    if found in ("better", "worse"):
        yield Cell((found,), shade=_GROUND, good=found == "better")
    else:
        yield cell(found)
    yield cell(test_words(result))
    yield cell(f"{result.fixed:,} / {result.regressed:,}" if result.n else "")


def in_points(result: Result) -> str:
    """`+12.0 points (−3.1 to +25.4)`; nothing where there is no pair."""
    if result.difference is None or result.interval is None:
        return ""
    return difference_words(result.difference, result.interval)


def test_words(result: Result) -> str:
    """`p = 0.031`, and in words where there is nothing to test."""
    return p_words(result.p) if result.p is not None else "no case differs" if result.n else ""


def rate_cells(result: Result, outcome: Outcome) -> tuple[Cell, Cell]:
    """The share in the baseline and in the run."""
    nothing = _NOTHING.get(outcome, NO_PAIRS)
    baseline, run = (share_cell(share, nothing, result.replies_as_one) for share in (result.baseline, result.run))
    return baseline, run


def said(result: Result) -> str:
    """`12 of 40, then 30 of 40: +45.0 points (+27.1 to +60.2), p < 0.001; 19 fixed, 1 regressed`."""
    if not result.n:
        return NO_PAIRS
    shares = f"{counted(result.baseline)}, then {counted(result.run)}"
    flips = f"{result.fixed:,} fixed, {result.regressed:,} regressed"
    return f"{shares}: {in_points(result)}, {test_words(result)}; {flips}"


def rows_of(results: ArmResults, outcome: Outcome) -> dict[str | None, Result]:
    """By prompt, and over all prompts (None) where there are several."""
    rows: dict[str | None, Result] = {name: each[outcome] for name, each in results.prompts.items()}
    return {None: results.overall[outcome], **rows} if len(rows) > 1 else rows
