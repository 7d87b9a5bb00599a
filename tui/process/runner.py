"""Runs and searches, one after another on one engine process, which keeps the model loaded between them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Collection, Sequence
from pathlib import Path

from engine.protocol.commands import (
    Cancel,
    Command,
    Pause,
    Prefer,
    RenderPrompt,
    StartCommand,
    StartRun,
    StartSearch,
    StartTrial,
    StopRun,
)
from engine.protocol.events import Event, Failed, Loading, ModelReady, PromptRendered, RunFinished, SearchFinished
from engine.worker.options import DecodingOptions, EngineOptions
from tui.process.client import Client
from tui.state.run import RunState
from tui.state.search import SearchState
from tui.state.task import EngineDied, EngineTask
from tui.state.trials import TrialState

STOP_PATIENCE = 5.0  # seconds a run has to end before its engine is killed


class Runner:
    """Owns the engine process and the states of the last run and search."""

    options: EngineOptions
    """What the engine was asked to be."""

    decoding: DecodingOptions
    """How every run is decoded."""

    task: EngineTask | None
    """The run, search or trial that was started last, None before the first."""

    state: RunState | None
    """The last run."""

    search: SearchState | None
    """The last search."""

    def __init__(
        self,
        command: Sequence[str],
        log_path: Path | None = None,
        options: EngineOptions | None = None,
        decoding: DecodingOptions | None = None,
    ) -> None:
        """command: starts the engine."""
        self.options, self.decoding = options or EngineOptions(), decoding or DecodingOptions()
        self._command = tuple(command)
        self._log_path = log_path
        self._client: Client | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._rendering: dict[str, deque[asyncio.Future[PromptRendered]]] = defaultdict(deque)
        self._given_up = 0  # abandoned runs that the engine has yet to end: their events are dropped
        self.task = self.state = self.search = None

    @property
    def busy(self) -> bool:
        """Whether a run or a search is in progress."""
        return self.task is not None and not self.task.over

    async def start(self, command: StartRun, excluded: Collection[str] = ()) -> RunState:
        """Run a suite, starting the engine if necessary. Call it only when nothing is in progress.

        excluded: cases that count nowhere, in addition to those that the command leaves out.
        """
        without = {*command.without, *excluded}
        state = self.state = RunState(command.suite, resumed=command.resume is not None, excluded=without)
        await self._begin(state, command)
        return state

    async def start_search(self, command: StartSearch) -> SearchState:
        """Search for a suite's best prompt, as `start` runs a suite."""
        state = self.search = SearchState(command.suite)
        await self._begin(state, command)
        return state

    async def start_trial(self, command: StartTrial, run: RunState) -> TrialState:
        """Start a trial of a run, as `start` runs a suite."""
        trial = TrialState(suite=command.suite, run=run, command=command)
        await self._begin(trial, command)
        run.revision += 1
        return trial

    async def _begin(self, task: EngineTask, command: StartCommand) -> None:
        assert not self.busy
        self.task = task
        try:
            client = await self._running()
        except OSError as error:
            task.fail(f"The engine could not be started: {error.strerror or error}.")
            return
        await client.send(command)

    async def _running(self) -> Client:
        """The engine's process, started if necessary. Raises OSError when it cannot be started."""
        async with self._starting:
            if self._client is None or not self._client.alive:
                if self._reader is not None:
                    await asyncio.wait([self._reader], timeout=STOP_PATIENCE)  # it reports the exit first
                await self.close()
                client = Client(self._command, self._log_path)
                await client.start()
                self._client, self._given_up = client, 0
                self._reader = asyncio.create_task(self._read(client))
            return self._client

    async def pause(self, paused: bool) -> None:
        """Pause or resume the current task."""
        await self._send(Pause(paused))

    async def prefer(self, job: str) -> None:
        """Decode a pending job next."""
        await self._send(Prefer(job))

    async def cancel(self, job: str) -> None:
        """Remove a job from the run."""
        await self._send(Cancel(job))

    async def render(self, command: RenderPrompt) -> PromptRendered:
        """A prompt as the model reads it, during a run too; with an error instead where it cannot be rendered."""
        try:
            client = await self._running()
        except OSError as error:
            return PromptRendered(command.id, "", error=f"The engine could not be started: {error.strerror or error}.")
        answer: asyncio.Future[PromptRendered] = asyncio.get_running_loop().create_future()
        self._rendering[command.id].append(answer)  # commands with the same id are answered in order
        await client.send(command)
        return await answer

    async def _send(self, command: Command) -> None:
        if self.busy and self._client is not None:
            await self._client.send(command)

    async def stop(self) -> None:
        """End the current task; finished jobs stay. Returns when it has ended.

        While the model loads nothing is decoded, so there is nothing to wait for: the engine ends the run after it has
        loaded the model, which is then ready for the next run.
        """
        task = self.task
        if task is None or task.over or self._client is None:
            return
        task.stopping()
        await self._client.send(StopRun())
        if task.folder is None:
            self._given_up += 1
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._until_over(task), STOP_PATIENCE)
            if not task.over:
                await self.close()  # finished records are on disk
        if not task.over:
            task.stop()

    def leave(self) -> int | None:
        """Let the engine finish its task without this program. Returns its process id, None where there is none.

        Only for an engine with `options.keep_running`.
        """
        if self._client is None:
            return None
        self._client.leave()
        return self._client.pid

    async def close(self) -> None:
        """End the engine process."""
        client, self._client = self._client, None
        reader, self._reader = self._reader, None
        if client is not None:
            await client.close()
        if reader is not None:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader

    async def _read(self, client: Client) -> None:
        end = "The engine was ended."
        try:
            async for event in client.events():
                if isinstance(event, EngineDied):
                    end = event.sentence
                self._apply(event)
        finally:
            for id in [id for id, answers in self._rendering.items() for _ in answers]:
                self._answer(PromptRendered(id, "", error=end))

    def _apply(self, event: Event | EngineDied) -> None:
        if isinstance(event, PromptRendered):
            self._answer(event)
        elif self._given_up and not isinstance(event, Loading | ModelReady | EngineDied):
            self._given_up -= isinstance(event, RunFinished | SearchFinished | Failed)
        elif self.task is not None:
            self.task.apply(event)

    def _answer(self, rendered: PromptRendered) -> None:
        answers = self._rendering[rendered.id]
        if answers and not (answer := answers.popleft()).done():  # done: cancelled
            answer.set_result(rendered)

    async def _until_over(self, task: EngineTask) -> None:
        while not task.over:
            await asyncio.sleep(0.05)
