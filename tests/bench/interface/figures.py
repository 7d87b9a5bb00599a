"""What was measured, each figure beside what it should be, as a table in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles

_MET = {None: "", True: "yes", False: "NO"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value in its unit. most: what it may be at most, None where that is not said anywhere."""

    what: str
    value: float
    unit: str
    most: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether it is as it should be."""
        return None if self.most is None else self.value <= self.most


def percentiles(what: str, seconds: Sequence[float], most: float | None) -> list[Figure]:
    """The middle, the 95th and the 99th percentile of waiting times, in ms. most: of the 95th."""
    cuts = quantiles(seconds, n=100, method="inclusive")
    return [
        Figure(f"{what}, p{at} of {len(seconds)}", 1000 * cuts[at - 1], "ms", most if at == 95 else None)
        for at in (50, 95, 99)
    ]


def table(figures: Iterable[Figure]) -> str:
    """The figures as a table."""
    rows = [
        (
            figure.what,
            _words(figure.value, figure.unit),
            _goal(figure),
            _MET[figure.met],
        )
        for figure in figures
    ]
    lines = ["| what | measured | goal | met |", "| --- | ---: | ---: | --- |"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def _goal(figure: Figure) -> str:
    return "" if figure.most is None else f"at most {_words(figure.most, figure.unit)}"


def _words(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if value >= 20 or value == int(value) else f"{value:.2g} {unit}"
