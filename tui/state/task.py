"""The state of a task of the engine (a run, a search, a trial), as the screens show it. Does not import Textual."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import ClassVar

from engine.protocol.events import Event, Failed, Loading, ModelReady, Paused, Progress, Remark


@dataclass(frozen=True, slots=True)
class EngineDied:
    """The engine's process ended although it was not asked to."""

    exit_code: int
    log: tuple[str, ...]
    """The last lines it wrote to stderr."""

    @property
    def sentence(self) -> str:
        """What happened, as a sentence."""
        if self.exit_code < 0:
            return f"The engine was killed by signal {-self.exit_code}."
        return f"The engine ended unexpectedly with exit code {self.exit_code}."


class Phase(Enum):
    """The phase of a task. The value is the word the status line shows."""

    STARTING = "starting"
    LOADING = "loading"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


OVER = frozenset({Phase.FINISHED, Phase.STOPPED, Phase.FAILED})


@dataclass(slots=True)
class EngineTask(ABC):
    """What runs, searches and trials have in common."""

    label: ClassVar[str]
    """What users call such a task."""

    suite: Path
    folder: Path | None = None
    """Where it is kept, once the folder exists: from then on jobs are decoded."""
    seconds: float | None = None
    """How long it took, once it has ended."""
    phase: Phase = Phase.STARTING
    paused: bool = False
    since: float = field(default_factory=time.monotonic)
    """When it was requested, by the monotonic clock."""
    loading: Loading | None = None
    """The last step of loading the model."""
    model: ModelReady | None = None
    remarks: list[str] = field(default_factory=list)
    progress: Progress | None = None
    failure: str | None = None
    """Why it failed, as a sentence."""
    log: tuple[str, ...] = ()
    """The end of the engine's log, if the engine died."""
    revision: int = 0
    """Grows with each change, so that a screen knows when to draw."""

    @property
    def over(self) -> bool:
        """Whether it has ended: no more events are expected."""
        return self.phase in OVER

    def fail(self, message: str, log: tuple[str, ...] = ()) -> None:
        """Mark it as failed."""
        self.phase, self.failure, self.log = Phase.FAILED, message, log
        self._changed()

    def stopping(self) -> None:
        """Mark it as asked to stop by the user."""
        self.phase = Phase.STOPPING
        self._changed()

    def stop(self) -> None:
        """Mark it as stopped, without an event from the engine."""
        self.phase = Phase.STOPPED
        self._changed()

    def apply(self, event: Event | EngineDied) -> None:
        """Update the state by an event of the engine."""
        match event:
            case Loading():
                if self.phase is Phase.STARTING:
                    self.phase = Phase.LOADING
                self.loading = event
            case ModelReady():
                self.model = event
            case Remark():
                self.remarks.append(event.message)
            case Progress():
                self.progress = event
            case Paused():
                self.paused = event.paused
            case Failed():
                self.fail(event.message)
            case EngineDied():
                self._engine_died(event)
            case _:
                self._apply_own(event)
        self._changed()

    def _changed(self) -> None:
        """Called after each change of the state."""
        self.revision += 1

    @abstractmethod
    def _apply_own(self, event: Event) -> None:
        """Update the state by an event that only this kind of task has."""

    def _begin(self, folder: Path, remarks: tuple[str, ...]) -> None:
        self.folder = folder
        self.remarks = list(remarks)
        if self.phase is not Phase.STOPPING:
            self.phase = Phase.RUNNING

    def _end(self, stopped: bool, seconds: float) -> None:
        self.seconds = seconds
        if self.phase is not Phase.FAILED:
            self.phase = Phase.STOPPED if stopped else Phase.FINISHED

    def _engine_died(self, event: EngineDied) -> None:
        # The engine may have sent its reason before it exited: that sentence is better than an exit code.
        if not self.over:
            self.fail(event.sentence, event.log)
        elif self.phase is Phase.FAILED:
            self.log = self.log or event.log
