"""Chooses the jobs that are shown as examples, by a fixed rule."""

from __future__ import annotations

from typing import TypeAlias

from engine.records import ARMS, Record

Label: TypeAlias = str
_Rank: TypeAlias = tuple[int, str, int]
"""Characters, job id, place in the file."""

# In this order, before the classes.
_OUTCOMES = ("rescued", "broken by constraint", "both wrong")

RULE = (
    "One job for each of rescued, broken by constraint and both wrong, and one for each first class of a verdict in "
    "either arm: always the one whose input and replies are shortest together (then the first job id). "
    "A job that is chosen for several reasons is shown once."
)


class Examples:
    """Keeps the shortest job for each reason to show one, in one pass over the records."""

    def __init__(self) -> None:
        self._best: dict[Label, _Rank] = {}

    def add(self, record: Record, outcome: str | None, place: int) -> None:
        """Consider a job, which is at `place` in the file."""
        rank = (len(record.input) + sum(len(record.reply(arm).text) for arm in ARMS), record.id, place)
        verdicts = [verdict for arm in ARMS if (verdict := record.reply(arm).verdict) is not None]
        for label in dict.fromkeys([outcome, *(verdict.classes[0] for verdict in verdicts)]):
            if label not in (None, "ok", "both fine") and rank < self._best.get(label, (rank[0] + 1, "", 0)):
                self._best[label] = rank

    def chosen(self) -> list[tuple[int, list[Label]]]:
        """The places of the chosen jobs, each with all its reasons: outcomes first, then classes by name."""
        places: dict[int, list[Label]] = {}
        classes = sorted(self._best.keys() - set(_OUTCOMES))
        for label in [*(label for label in _OUTCOMES if label in self._best), *classes]:
            places.setdefault(self._best[label][2], []).append(label)
        return list(places.items())
