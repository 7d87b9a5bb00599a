"""Successive halving: many candidates on few cases, the better half of them on more, until one is left.

Source: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS 2016,
arXiv 1502.07943: each round spends about the same, on half as many candidates as the one before. Here a candidate is a
prompt and a pull is a case; all candidates of a round have answered the same cases, so they are compared in pairs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.search.splits import LEAST_CHOOSING
from engine.statistics import Share


@dataclass(frozen=True, slots=True)
class Schedule:
    """candidates: how many begin. cases: for each round, how many cases its candidates have answered at its end."""

    candidates: int
    cases: tuple[int, ...]

    @property
    def jobs(self) -> int:
        """How many jobs all rounds take. What was answered in one round is not asked again in the next."""
        jobs, left, before = 0, self.candidates, 0
        for cases in self.cases:
            jobs += left * (cases - before)
            left, before = half(left), cases
        return jobs


def half(candidates: int) -> int:
    """How many come through a round that is not the last."""
    return (candidates + 1) // 2


def schedule_for(budget: int, candidates: int, cases: int) -> Schedule:
    """The most candidates that so many jobs pay for when each is asked 4 cases at first, and then as many first cases
    as they still pay for.

    candidates, cases: how many there are, two or more candidates and 4 or more cases. budget: 8 or more.
    """
    fitting = [number for number in range(2, candidates + 1) if _schedule(number, LEAST_CHOOSING, cases).jobs <= budget]
    number = fitting[-1]
    first = [each for each in range(LEAST_CHOOSING, cases + 1) if _schedule(number, each, cases).jobs <= budget]
    return _schedule(number, first[-1], cases)


def _schedule(candidates: int, first: int, cases: int) -> Schedule:
    """Twice as many new cases in each round as in the one before, until one candidate is left or no case."""
    rounds: list[int] = []
    seen, new, left = 0, first, candidates
    while left > 1 and seen < cases:
        seen = min(seen + new, cases)
        rounds.append(seen)
        new, left = 2 * new, half(left)
    return Schedule(candidates, tuple(rounds))


@dataclass(slots=True)
class Score:
    """What a candidate has answered so far. ok: the share of replies with nothing wrong. tokens: of all its prompts.

    round: the last one it took part in, from 1. kept: whether it has not been dropped.
    """

    name: str
    ok: Share = field(default_factory=Share)
    tokens: int = 0
    round: int = 1
    kept: bool = True

    @property
    def merit(self) -> tuple[float, float, str]:
        """What candidates are sorted by, the best first: the share, then the shorter prompt, then the name."""
        if not self.ok.n:
            return 0.0, math.inf, self.name
        return -self.ok.k / self.ok.n, self.tokens / self.ok.n, self.name


class Halving:
    """Successive halving as it goes: ask what is `wanted`, `add` each answer, `close` the round, until `winner`."""

    def __init__(self, names: Sequence[str], cases: Sequence[str], schedule: Schedule) -> None:
        """names: the candidates, as many as the schedule has. cases: in the order in which they are asked."""
        self.scores = {name: Score(name) for name in names}
        self.round = 1
        self._cases, self._schedule = cases, schedule

    @property
    def playing(self) -> list[Score]:
        """The candidates that are left."""
        return [score for score in self.scores.values() if score.kept]

    @property
    def wanted(self) -> tuple[list[str], list[str]]:
        """The candidates of this round, and the cases that each of them has still to answer."""
        before, end = (0, *self._schedule.cases)[self.round - 1 : self.round + 1]
        return [score.name for score in self.playing], list(self._cases[before:end])

    @property
    def winner(self) -> str | None:
        """Who is left after the last round; None before."""
        return self.playing[0].name if self.round > len(self._schedule.cases) else None

    def add(self, name: str, ok: bool, tokens: int) -> None:
        """A candidate has answered one of the cases. tokens: how long its prompt was."""
        self.scores[name].ok.add(ok)
        self.scores[name].tokens += tokens

    def close(self) -> None:
        """End the round: the better half goes on, after the last round the best alone."""
        ranked = sorted(self.playing, key=lambda score: score.merit)
        last = self.round == len(self._schedule.cases)
        keep = 1 if last else half(len(ranked))
        self.round += 1
        for place, score in enumerate(ranked):
            score.kept = place < keep
            if score.kept and not last:
                score.round = self.round

    def ranked(self) -> list[Score]:
        """All candidates: those that are left first, then by how far they came, each the best first."""
        return sorted(self.scores.values(), key=lambda score: (not score.kept, -score.round, score.merit))
