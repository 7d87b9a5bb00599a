"""`jsonbreak tune` as a child process of the interface, and the state after its events."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from engine.protocol.events import Failed, Loading, ModelReady, Remark
from engine.protocol.tune_events import TuneBegun, TuneEvent, TuneSaved, TuneStep, decode
from engine.worker.options import EngineOptions

_PATIENCE = 5.0  # seconds until a terminated process is killed
_TAIL = 2_000  # bytes of stderr
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class TuneForm:
    """What the user enters."""

    rank: int
    epochs: int
    out: Path


@dataclass(slots=True)
class TuneState:
    """The progress of a tune."""

    step: str = "starting"
    """What happens before training begins."""
    begun: TuneBegun | None = None
    losses: list[float] = field(default_factory=list)
    seconds_left: float = 0.0
    remarks: list[str] = field(default_factory=list)
    saved: TuneSaved | None = None
    failure: str | None = None
    """Why it failed, a sentence."""

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.saved is not None or self.failure is not None

    def apply(self, event: TuneEvent) -> None:
        """Update with one event."""
        match event:
            case Loading(step=step):
                self.step = step
            case ModelReady():
                self.step = "preparing"
            case Remark(message=message):
                self.remarks.append(message)
            case TuneBegun():
                self.begun = event
            case TuneStep(loss=loss, seconds_left=left):
                self.losses.append(loss)
                self.seconds_left = left
            case TuneSaved():
                self.saved = event
            case Failed(message=message):
                self.failure = message


def tune_command(options: EngineOptions, run: Path, form: TuneForm) -> list[str] | None:
    """The command that tunes the engine's model on a run; None where that model is on another machine."""
    if options.remote is not None:
        return None
    order = ["--rank", str(form.rank), "--epochs", str(form.epochs), "--out", str(form.out)]
    model = ["--device", options.device, *(["--model", options.model] if options.model else [])]
    return [sys.executable, "-m", "engine", "tune", str(run), *order, *model, "--json-lines"]


class TuneProcess:
    """One tune. Iterate over `events`; after `end` nothing is saved."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._process: asyncio.subprocess.Process | None = None
        self._ended_by_us = False

    async def events(self) -> AsyncIterator[TuneEvent]:
        """Its events until it exits. When it dies by itself, the last is a Failed with the end of its stderr."""
        with tempfile.TemporaryFile() as log:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log
                )
            except OSError as error:
                yield Failed(f"The tune could not be started: {error.strerror or error}.")
                return
            assert self._process.stdout is not None
            async for line in self._process.stdout:
                with contextlib.suppress(ValidationError):  # a library may print to stdout
                    yield decode(line)
            if await self._process.wait() and not self._ended_by_us:
                yield Failed(_describe_exit(log, self._process.returncode))

    async def end(self) -> None:
        """Terminate it, and kill it when that takes too long."""
        process, self._ended_by_us = self._process, True
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _PATIENCE)
                return
            process.kill()
            await process.wait()


def _describe_exit(log: IO[bytes], code: int | None) -> str:
    log.seek(0, 2)
    log.seek(max(0, log.tell() - _TAIL))
    lines = log.read().decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"The tune ended with exit code {code}: {last}" if last else f"The tune ended with exit code {code}."


def format_bars(losses: Sequence[float], cells: int) -> str:
    """The losses as bars from zero to the highest, a cell each, or the mean of several where they do not fit."""
    if not losses:
        return ""
    cells = min(cells, len(losses))
    parts = [losses[len(losses) * cell // cells : len(losses) * (cell + 1) // cells] for cell in range(cells)]
    means = [sum(part) / len(part) for part in parts]
    highest = max(means) or 1.0
    return "".join(_BARS[min(len(_BARS) - 1, int(mean / highest * len(_BARS)))] for mean in means)
