"""What `export` and `tune` are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from engine.training.rows import Source

Format: TypeAlias = Literal["messages", "prompt-completion"]


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What is asked for. source: as in Rows. share: of the cases that are kept for the test, 0 for none."""

    file: Path
    source: Source | None = None
    only_broken: bool = False
    share: float = 0.0
    format: Format = "messages"

    @property
    def test_file(self) -> Path:
        """`rows.test.jsonl` beside `rows.jsonl`."""
        return self.file.with_name(f"{self.file.stem}.test{self.file.suffix}")

    @property
    def card(self) -> Path:
        """`rows.card.json` beside `rows.jsonl`; what it says is told in `rows.card.md` too."""
        return self.file.with_name(f"{self.file.stem}.card.json")

    @property
    def words(self) -> Path:
        """The card, to be read."""
        return self.card.with_suffix(".md")

    @property
    def files(self) -> tuple[Path, ...]:
        """All that are written."""
        test = (self.test_file,) if self.share else ()
        return (self.file, *test, self.card, self.words)


@dataclass(frozen=True, slots=True)
class TuneOrder:
    """What is asked for. out: the adapter's folder. model, device: as in ModelSpec. source, prompts: as in Rows.

    lr: the learning rate at its highest. share: of the cases that are kept for the test.
    """

    out: Path
    model: str | None = None
    device: str = "auto"
    rank: int = 8
    epochs: int = 2
    lr: float = 2e-3
    share: float = 0.2
    source: Source | None = None
    prompts: tuple[str, ...] = ()
