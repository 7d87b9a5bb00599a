"""Whether replies stay the same across repeats, and across the variations of a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.reports.document import Block, Items, Quoted, Section, Table, cell, paragraph
from engine.reports.figures import format_count, share_cell
from engine.reports.run.consistency import Key, Stability
from engine.reports.run.findings import Findings
from engine.statistics import Share

_HEAD = ("prompt", "arm", "same verdict", "same values", "always right", "sometimes right", "never right")


def consistency(findings: Findings, temperature: float | None) -> Section:
    """Two tables. temperature: what the run sampled with; None if that is not known."""
    return Section("consistency", "Consistency", tuple(_consistency(findings, temperature)))


def _consistency(findings: Findings, temperature: float | None) -> Iterator[Block]:
    consistency = findings.consistency
    if consistency is None:
        yield paragraph(
            "The run decoded each input once and has no variations, so it says nothing about consistency. "
            "[generation] repeats in the suite decodes each input several times."
        )
        return
    yield Items(
        (
            ("Same verdict: all replies to a case have the same four booleans and first class of the verdict.",),
            ("Same values: every reply has one JSON value, and all of them are equal.",),
            ("Always, sometimes, never right: the values were right in all of the replies, in some, in none.",),
        )
    )
    yield paragraph("Each cell is the number of cases of all cases, and the share with its 95% interval.")
    if findings.repeated:
        if temperature == 0:
            yield paragraph("The temperature is 0: the seed has no effect, and repeats differ only by rounding.")
        yield from _table("Across repeats of a case's own input, with different seeds", consistency.repeats)
    if findings.varied:
        yield from _table(
            "Across the variations of a case, its own input among them (first repeat)", consistency.variations
        )


def _table(caption: str, stabilities: Mapping[Key, Stability]) -> Iterator[Block]:
    if not stabilities:
        yield paragraph(f"{caption}: no case has several replies that could be decoded.")
        return
    rows = tuple(
        (
            cell(Quoted(prompt)),
            cell(arm),
            share_cell(stability.verdict, "no case"),
            share_cell(stability.values, "no case"),
            *(cell(text) for text in _right(stability)),
        )
        for (prompt, arm), stability in stabilities.items()
    )
    yield Table(caption, tuple((head,) for head in _HEAD), rows)


def _right(stability: Stability) -> tuple[str, str, str]:
    always, never = stability.always, stability.never
    if not always.n:
        return "nothing was expected", "", ""
    return format_count(always), format_count(Share(always.n - always.k - never.k, always.n)), format_count(never)
