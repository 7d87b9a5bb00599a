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

STOP_PATIENCE = 5.0  # seconds a run has to end before its engine is ended


class Runner:
    """Owns the engine process and the states of the last run and the last search, None before the first.

    work: the one of them that was begun last.
    """

    def __init__(
        self,
        command: Sequence[str],
        log_path: Path | None = None,
        options: EngineOptions | None = None,
        decoding: DecodingOptions | None = None,
    ) -> None:
        """command: starts the engine. options: what the engine was asked to be. decoding: for every run."""
        self.options, self.decoding = options or EngineOptions(), decoding or DecodingOptions()
        self._command = tuple(command)
        self._log_path = log_path
        self._client: Client | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._rendering: dict[str, deque[asyncio.Future[PromptRendered]]] = defaultdict(deque)
        self._given_up = 0  # runs that the engine has still to end; what it says of them concerns nobody
        self.work: EngineTask | None = None
        self.state: RunState | None = None
        self.search: SearchState | None = None

    @property
    def busy(self) -> bool:
        """Whether a run or a search is on."""
        return self.work is not None and not self.work.over

    async def start(self, order: StartRun, excluded: Collection[str] = ()) -> RunState:
        """Run a suite, starting the engine if it does not run. Call it only when nothing is on.

        excluded: cases that are to count nowhere, beside those that the order leaves out.
        """
        without = {*order.without, *excluded}
        state = self.state = RunState(order.suite, resumed=order.resume is not None, excluded=without)
        await self._begin(state, order)
        return state

    async def start_search(self, order: StartSearch) -> SearchState:
        """Search for a suite's best prompt, as `start` runs a suite."""
        state = self.search = SearchState(order.suite)
        await self._begin(state, order)
        return state

    async def start_trial(self, order: StartTrial, beside: RunState) -> TrialState:
        """Try something beside a run, as `start` runs a suite."""
        trial = TrialState(suite=order.suite, run=beside, command=order)
        await self._begin(trial, order)
        beside.revision += 1
        return trial

    async def _begin(self, work: EngineTask, order: StartRun | StartSearch | StartTrial) -> None:
        assert not self.busy
        self.work = work
        try:
            client = await self._running()
        except OSError as error:
            work.fail(f"The engine could not be started: {error.strerror or error}.")
            return
        await client.send(order)

    async def _running(self) -> Client:
        """The engine's process, started if it does not run. Raises OSError where it cannot be."""
        async with self._starting:
            if self._client is None or not self._client.alive:
                if self._reader is not None:
                    await asyncio.wait([self._reader], timeout=STOP_PATIENCE)  # it has its death to tell first
                await self.close()
                client = Client(self._command, self._log_path)
                await client.start()
                self._client, self._given_up = client, 0
                self._reader = asyncio.create_task(self._read(client))
            return self._client

    async def pause(self, paused: bool) -> None:
        """Have what is on stand still, or go on."""
        await self._tell(Pause(paused))

    async def prefer(self, job: str) -> None:
        """Have a job that waits decoded next."""
        await self._tell(Prefer(job))

    async def cancel(self, job: str) -> None:
        """Take a job out of the run."""
        await self._tell(Cancel(job))

    async def render(self, order: RenderPrompt) -> PromptRendered:
        """A prompt as the model reads it, while a run is on or not. A reason instead where the engine cannot tell."""
        try:
            client = await self._running()
        except OSError as error:
            return PromptRendered(order.id, "", error=f"The engine could not be started: {error.strerror or error}.")
        answer: asyncio.Future[PromptRendered] = asyncio.get_running_loop().create_future()
        self._rendering[order.id].append(answer)  # orders of the same name are answered in turn
        await client.send(order)
        return await answer

    async def _tell(self, command: Command) -> None:
        if self.busy and self._client is not None:
            await self._client.send(command)

    async def stop(self) -> None:
        """End what is on; what is finished stays. Returns when it has ended.

        While the model loads nothing is decoded, so there is nothing to wait for: the engine ends the run when it has
        loaded the model, which the next run then finds ready.
        """
        work = self.work
        if work is None or work.over or self._client is None:
            return
        work.stopping()
        await self._client.send(StopRun())
        if work.folder is None:
            self._given_up += 1
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._until_over(work), STOP_PATIENCE)
            if not work.over:
                await self.close()  # finished records are on disk
        if not work.over:
            work.stop()

    def leave(self) -> int | None:
        """Let the engine finish what it is at, without this program. Its process; None where it has none.

        Only for an engine that was told to keep running.
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
                self._take(event)
        finally:
            for id in [id for id, answers in self._rendering.items() for _ in answers]:
                self._answer(PromptRendered(id, "", error=end))

    def _take(self, event: Event | EngineDied) -> None:
        if isinstance(event, PromptRendered):
            self._answer(event)
        elif self._given_up and not isinstance(event, Loading | ModelReady | EngineDied):
            self._given_up -= isinstance(event, RunFinished | SearchFinished | Failed)
        elif self.work is not None:
            self.work.apply(event)

    def _answer(self, rendered: PromptRendered) -> None:
        answers = self._rendering[rendered.id]
        if answers and not (answer := answers.popleft()).done():  # done: nobody waits any more
            answer.set_result(rendered)

    async def _until_over(self, work: EngineTask) -> None:
        while not work.over:
            await asyncio.sleep(0.05)
