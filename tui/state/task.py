"""What the screens show of anything the engine works on, a run or a search. Knows nothing of Textual."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import ClassVar

from engine.protocol.events import Event, Failed, Loading, ModelReady, Paused, Progress, Remark


@dataclass(frozen=True, slots=True)
class EngineDied:
    """The engine ended although nobody asked it to. `log` is the end of what it wrote on stderr."""

    exit_code: int
    log: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What happened, in words."""
        if self.exit_code < 0:
            return f"The engine was killed by signal {-self.exit_code}."
        return f"The engine ended unexpectedly with exit code {self.exit_code}."


class Phase(Enum):
    """Where the work stands. The value is the word the status line shows."""

    STARTING = "starting"
    LOADING = "loading"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


OVER = frozenset({Phase.FINISHED, Phase.STOPPED, Phase.FAILED})


@dataclass(slots=True)
class EngineTask:
    """What runs and searches have in common. `revision` grows with each change, so that a screen knows when to draw.

    noun: what people call it. folder: where it is kept, once that exists: from then on jobs are decoded. seconds: how
    long it took, once it has ended.
    """

    label: ClassVar[str]

    suite: Path
    folder: Path | None = None
    seconds: float | None = None
    phase: Phase = Phase.STARTING
    paused: bool = False
    since: float = field(default_factory=time.monotonic)
    loading: Loading | None = None
    model: ModelReady | None = None
    remarks: list[str] = field(default_factory=list)
    progress: Progress | None = None
    failure: str | None = None
    log: tuple[str, ...] = ()
    revision: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.phase in OVER

    def fail(self, message: str, log: tuple[str, ...] = ()) -> None:
        """It cannot go on, for a reason the engine had no chance to tell."""
        self.phase, self.failure, self.log = Phase.FAILED, message, log
        self.revision += 1

    def stopping(self) -> None:
        """The user asked it to end."""
        self.phase = Phase.STOPPING
        self.revision += 1

    def stop(self) -> None:
        """It has ended, though the engine has not said so."""
        self.phase = Phase.STOPPED
        self.revision += 1

    def apply(self, event: Event | EngineDied) -> None:
        """Take in what the engine says."""
        self.revision += 1
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

    def _apply_own(self, event: Event) -> None:
        """Take in what is told of this kind of work alone."""
        raise NotImplementedError

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
        # The engine may have told its reason before it ended: that sentence is better than an exit code.
        if not self.over:
            self.fail(event.sentence, event.log)
        elif self.phase is Phase.FAILED:
            self.log = self.log or event.log
