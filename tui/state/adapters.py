"""Which adapter the next run answers with, of those that the program was started with. No word of Textual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BASE = "base"


@dataclass(slots=True)
class AdapterChoice:
    """names: None is the base alone; empty where no adapter was given. chosen: the one that runs begin with."""

    names: tuple[str | None, ...] = ()
    chosen: str | None = None

    @classmethod
    def of(cls, given: Sequence[str | None]) -> AdapterChoice:
        """The base can always be chosen; at first the first of the given ones is."""
        if not any(given):
            return cls()
        return cls((None, *filter(None, given)), given[0])

    def next(self) -> None:
        """Choose the next one, round the end."""
        self.chosen = self.names[(self.names.index(self.chosen) + 1) % len(self.names)]

    @property
    def words(self) -> str:
        """`adapter: base [tuned]`, the chosen one in brackets; empty where there is nothing to choose."""
        if not self.names:
            return ""
        names = ((name or BASE, name == self.chosen) for name in self.names)
        return "adapter: " + " ".join(f"[{name}]" if chosen else name for name, chosen in names)


def with_adapter(model: str, adapter: str | None) -> str:
    """What answers in a run: `smol`, or `smol + tuned`."""
    return f"{model} + {adapter}" if adapter else model
