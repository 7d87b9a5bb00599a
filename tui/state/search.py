"""What the screen shows of a search: plain data that the engine's events are applied to. Knows nothing of Textual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.protocol.events import Event, Found, Leaderboard, SearchFinished, SearchStarted
from tui.state.task import EngineTask


@dataclass(slots=True)
class SearchState(EngineTask):
    """A search as its events tell it."""

    label: ClassVar[str] = "search"

    started: SearchStarted | None = None
    board: Leaderboard | None = None
    finished: SearchFinished | None = None

    @property
    def found(self) -> Found | None:
        """The winner and what the held-out cases say of it, once that is known."""
        return self.finished.found if self.finished else None

    def _apply_own(self, event: Event) -> None:
        match event:
            case SearchStarted():
                self.started = event
                self._begin(event.folder, event.remarks)
            case Leaderboard():
                self.board = event
            case SearchFinished():
                self.finished = event
                self._end(event.stopped, event.seconds)
