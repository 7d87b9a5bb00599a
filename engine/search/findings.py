"""The findings of a search: the winner's result on held-out cases, its lead, and what it still gets wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.protocol.events import Found, Lead, Standing, StillWrong
from engine.records import Record
from engine.search.block import prompt_block
from engine.search.halving import Score
from engine.search.wording import LEGEND, sentences
from engine.statistics import Paired, Share, mcnemar_exact, newcombe_interval, wilson_interval
from engine.suites.tables import Prompt

Answers = Mapping[str, Record]
"""The records of one prompt, by case."""


def is_ok(record: Record) -> bool:
    """Whether nothing is wrong with the free reply; a reply that could not be decoded is not ok."""
    return record.free.verdict is not None and record.free.verdict.ok


def standing(score: Score, winner: str | None) -> Standing:
    """A candidate's row of the leaderboard."""
    low, high = wilson_interval(score.ok) if score.ok.n else (0.0, 1.0)
    place = Standing(score.name, score.ok.k, score.ok.n, low, high, score.round, "in play")
    if not score.kept:
        return replace(place, state="dropped")
    if score.name == winner:
        return replace(place, state="winner")
    return replace(place, state="kept") if score.round > 1 else place


def findings(
    winner: Prompt, answers: Answers, baseline: str, baseline_answers: Answers | None, chosen_by: Share
) -> Found:
    """The winner's result on the held-out cases.

    baseline_answers: on the same cases; None where the baseline is the winner. chosen_by: the winner's share on the
    cases that it was chosen by.
    """
    share = Share()
    for record in answers.values():
        share.add(is_ok(record))
    low, high = wilson_interval(share)
    result = Found(
        prompt=winner.name,
        k=share.k,
        n=share.n,
        low=low,
        high=high,
        chosen_k=chosen_by.k,
        chosen_n=chosen_by.n,
        lead=_lead(baseline, baseline_answers, answers) if baseline_answers is not None else None,
        failures=tuple(_still_wrong(answers.values())),
        block="",
    )
    return replace(result, block=prompt_block(winner, [*sentences(result), f"{LEGEND}."]))


def _lead(baseline: str, first: Answers, second: Answers) -> Lead:
    paired = Paired()
    for case, record in second.items():
        paired.add(is_ok(first[case]), is_ok(record), case)
    k = paired.both + paired.only_first
    return Lead(baseline, k, paired.difference, *newcombe_interval(paired), mcnemar_exact(paired))


def _still_wrong(records: Iterable[Record]) -> list[StillWrong]:
    wrong = []
    for record in records:
        verdict = record.free.verdict
        if verdict is None:
            wrong.append(StillWrong(record.case, "error", record.free.error or ""))
        elif not verdict.ok:
            wrong.append(StillWrong(record.case, verdict.classes[0], verdict.message))
    return wrong
