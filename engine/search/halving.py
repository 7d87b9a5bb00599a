"""Successive halving: many candidates on few cases, the better half of them on more cases, until one is left.

Source: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS 2016,
arXiv 1502.07943: each round spends about the same, on half as many candidates as the round before. Here an arm of the
bandit is a prompt and a pull is a case. All candidates of a round have answered the same cases, so their shares differ
by what they make of a case and not by which cases they drew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.search.splits import LEAST_CHOOSING
from engine.statistics import Share


@dataclass(frozen=True, slots=True)
class Schedule:
    """How many candidates begin, and how many cases each round has."""

    candidates: int
    cases: tuple[int, ...]
    """For each round, how many cases its candidates have answered by its end, earlier rounds included."""

    @property
    def jobs(self) -> int:
        """How many jobs all rounds take. A case that was answered in one round is not asked again in the next."""
        jobs, left, before = 0, self.candidates, 0
        for cases in self.cases:
            jobs += left * (cases - before)
            left, before = half(left), cases
        return jobs


def half(candidates: int) -> int:
    """How many candidates a round keeps, the last one aside."""
    return (candidates + 1) // 2


def schedule_for(budget: int, candidates: int, cases: int) -> Schedule:
    """The schedule with the most candidates that the budget allows, and then the most cases in its first round.

    Breadth comes first because a prompt that is never tried cannot win, while the cases of the first round only have to
    drop the worse half. There must be at least 2 candidates and 4 cases, and a budget of 8 jobs.
    """
    fitting = [number for number in range(2, candidates + 1) if _schedule(number, LEAST_CHOOSING, cases).jobs <= budget]
    number = fitting[-1]
    first = [each for each in range(LEAST_CHOOSING, cases + 1) if _schedule(number, each, cases).jobs <= budget]
    return _schedule(number, first[-1], cases)


def _schedule(candidates: int, first: int, cases: int) -> Schedule:
    """Each round has twice as many new cases as the one before, until one candidate is left or the cases run out."""
    rounds: list[int] = []
    seen, new, left = 0, first, candidates
    while left > 1 and seen < cases:
        seen = min(seen + new, cases)
        rounds.append(seen)
        new, left = 2 * new, half(left)
    return Schedule(candidates, tuple(rounds))


@dataclass(slots=True)
class Score:
    """A candidate's results so far."""

    name: str
    ok: Share = field(default_factory=Share)
    """The share of its replies with nothing wrong."""
    tokens: int = 0
    """The total length of its prompts."""
    round: int = 1
    """The last round it took part in, from 1."""
    kept: bool = True
    """Whether it has not been dropped."""

    @property
    def merit(self) -> tuple[float, float, str]:
        """The sort key, best first: the higher share, then the shorter prompt, then the name."""
        if not self.ok.n:
            return 0.0, math.inf, self.name
        return -self.ok.k / self.ok.n, self.tokens / self.ok.n, self.name


class Halving:
    """The rounds: decode what is `wanted`, `add` each answer, `close` the round, until there is a `winner`."""

    def __init__(self, names: Sequence[str], cases: Sequence[str], schedule: Schedule) -> None:
        """names: the candidates, as many as the schedule has. cases: in the order in which they are used."""
        self.scores = {name: Score(name) for name in names}
        self.round = 1
        self._cases, self._schedule = cases, schedule

    @property
    def playing(self) -> list[Score]:
        """The candidates that are left."""
        return [score for score in self.scores.values() if score.kept]

    @property
    def wanted(self) -> tuple[list[str], list[str]]:
        """The candidates of this round, and the new cases that each of them has to answer."""
        before, end = (0, *self._schedule.cases)[self.round - 1 : self.round + 1]
        return [score.name for score in self.playing], list(self._cases[before:end])

    @property
    def winner(self) -> str | None:
        """The candidate left after the last round; None before."""
        return self.playing[0].name if self.round > len(self._schedule.cases) else None

    def add(self, name: str, ok: bool, tokens: int) -> None:
        """Count a candidate's answer to one of the cases. tokens: the length of its prompt."""
        self.scores[name].ok.add(ok)
        self.scores[name].tokens += tokens

    def close(self) -> None:
        """End the round: keep the better half; after the last round, only the best."""
        ranked = sorted(self.playing, key=lambda score: score.merit)
        last = self.round == len(self._schedule.cases)
        keep = 1 if last else half(len(ranked))
        self.round += 1
        for place, score in enumerate(ranked):
            score.kept = place < keep
            if score.kept and not last:
                score.round = self.round

    def ranked(self) -> list[Score]:
        """All candidates: those in play, then the others by their last round, the best first in each group."""
        return sorted(self.scores.values(), key=lambda score: (not score.kept, -score.round, score.merit))
