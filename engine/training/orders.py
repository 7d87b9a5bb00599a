"""The options of `jsonbreak export` and `jsonbreak tune`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from engine.training.rows import Source

Format: TypeAlias = Literal["messages", "prompt-completion"]
"""The columns of an exported row, as TRL reads them (see export.py).

With "prompt-completion" TRL trains on the completion alone; with "messages" on the whole chat, unless its option
assistant_only_loss is set.
"""


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """The options of an export."""

    file: Path
    source: Source | None = None
    """As in Rows."""
    only_broken: bool = False
    """As in Rows."""
    share: float = 0.0
    """Of the cases that are held out; 0 for none."""
    format: Format = "messages"

    @property
    def test_file(self) -> Path:
        """Of the held-out rows: `rows.test.jsonl` for `rows.jsonl`."""
        return self.file.with_name(f"{self.file.stem}.test{self.file.suffix}")

    @property
    def card(self) -> Path:
        """`rows.card.json` for `rows.jsonl`."""
        return self.file.with_name(f"{self.file.stem}.card.json")

    @property
    def markdown_card(self) -> Path:
        """`rows.card.md` for `rows.jsonl`: the same card for people."""
        return self.card.with_suffix(".md")

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that are written."""
        test = (self.test_file,) if self.share else ()
        return (self.file, *test, self.card, self.markdown_card)


@dataclass(frozen=True, slots=True)
class TuneOrder:
    """The options of a tune."""

    out: Path
    """The adapter's folder."""
    model: str | None = None
    """As in ModelSpec."""
    device: str = "auto"
    """As in ModelSpec."""
    rank: int = 8
    epochs: int = 2
    lr: float = 2e-3
    """The peak learning rate."""
    share: float = 0.2
    """Of the cases that are held out."""
    source: Source | None = None
    """As in Rows."""
    prompts: tuple[str, ...] = ()
    """As in Rows."""
