"""What a search has found: the winner's figure on held-out cases, its lead, and what it still gets wrong."""

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
    """Whether nothing is wrong with the free reply; one that could not be decoded is not ok."""
    return record.free.verdict is not None and record.free.verdict.ok


def standing(score: Score, winner: str | None) -> Standing:
    """A candidate's place as the leaderboard shows it."""
    low, high = wilson_interval(score.ok) if score.ok.n else (0.0, 1.0)
    place = Standing(score.name, score.ok.k, score.ok.n, low, high, score.round, "in play")
    if not score.kept:
        return replace(place, state="dropped")
    if score.name == winner:
        return replace(place, state="winner")
    return replace(place, state="kept") if score.round > 1 else place


def found(winner: Prompt, answers: Answers, yardstick: str, its_answers: Answers | None, chosen_by: Share) -> Found:
    """What the held-out cases say of the winner.

    its_answers: the yardstick's, on the same cases; None where it is the winner. chosen_by: the winner's share of the
    cases that it was chosen on.
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
        lead=_lead(yardstick, its_answers, answers) if its_answers is not None else None,
        failures=tuple(_still_wrong(answers.values())),
        block="",
    )
    return replace(result, block=prompt_block(winner, [*sentences(result), f"{LEGEND}."]))


def _lead(yardstick: str, first: Answers, second: Answers) -> Lead:
    paired = Paired()
    for case, record in second.items():
        paired.add(is_ok(first[case]), is_ok(record), case)
    k = paired.both + paired.only_first
    return Lead(yardstick, k, paired.difference, *newcombe_interval(paired), mcnemar_exact(paired))


def _still_wrong(records: Iterable[Record]) -> list[StillWrong]:
    wrong = []
    for record in records:
        verdict = record.free.verdict
        if verdict is None:
            wrong.append(StillWrong(record.case, "error", record.free.error or ""))
        elif not verdict.ok:
            wrong.append(StillWrong(record.case, verdict.classes[0], verdict.message))
    return wrong
