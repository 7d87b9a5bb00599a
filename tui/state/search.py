"""The state of a search, updated by the engine's events. Does not import Textual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from engine.protocol.events import Event, Found, Leaderboard, SearchFinished, SearchStarted
from tui.state.task import EngineTask


@dataclass(slots=True)
class SearchState(EngineTask):
    """A search, built from its events."""

    label: ClassVar[str] = "search"

    started: SearchStarted | None = None
    board: Leaderboard | None = None
    finished: SearchFinished | None = None

    @property
    def found(self) -> Found | None:
        """The winner and its results on the held-out cases, once they are known."""
        return self.finished.found if self.finished else None

    @override
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
