"""The choice of the next run's adapter, of those that the program was started with. Does not import Textual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.records import BASE


@dataclass(slots=True)
class AdapterChoice:
    """The adapters to choose from, and the chosen one."""

    names: tuple[str | None, ...] = ()
    """None is the base model; empty if no adapter was given."""
    chosen: str | None = None
    """The adapter that the next run uses."""

    @classmethod
    def of(cls, given: Sequence[str | None]) -> AdapterChoice:
        """A choice of the given adapters and the base model. At first the first one given is chosen."""
        if not any(given):
            return cls()
        return cls((None, *filter(None, given)), given[0])

    def next(self) -> None:
        """Choose the next one, after the last the first."""
        self.chosen = self.names[(self.names.index(self.chosen) + 1) % len(self.names)]

    def describe(self) -> str:
        """`adapter: base [tuned]`, the chosen one in brackets; empty if there is nothing to choose."""
        if not self.names:
            return ""
        names = ((name or BASE, name == self.chosen) for name in self.names)
        return "adapter: " + " ".join(f"[{name}]" if chosen else name for name, chosen in names)


def with_adapter(model: str, adapter: str | None) -> str:
    """A model's name with that of its adapter: `smol`, or `smol + tuned`."""
    return f"{model} + {adapter}" if adapter else model
