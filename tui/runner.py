"""Runs suites one after another on one engine process, which keeps the model loaded between them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

from engine.events import Cancel, Command, Failed, Loading, ModelReady, Pause, Prefer, RunFinished, StartRun, StopRun
from tui.client import Client, EngineDied
from tui.state import Phase, RunState

STOP_PATIENCE = 5.0  # seconds a run has to end before its engine is ended


class Runner:
    """Owns the engine process and the state of the current run, which is None before the first."""

    def __init__(self, command: Sequence[str], log_path: Path | None = None) -> None:
        self._command = tuple(command)
        self._log_path = log_path
        self._client: Client | None = None
        self._reader: asyncio.Task[None] | None = None
        self._given_up = 0  # runs that the engine has still to end; what it says of them concerns nobody
        self.state: RunState | None = None

    @property
    def busy(self) -> bool:
        """Whether a run is on."""
        return self.state is not None and not self.state.over

    async def start(self, order: StartRun) -> RunState:
        """Run a suite, starting the engine if it does not run. Call it only when no run is on."""
        assert not self.busy
        state = self.state = RunState(order.suite)
        if self._client is None or not self._client.alive:
            await self.close()
            try:
                client = Client(self._command, self._log_path)
                await client.start()
            except OSError as error:
                state.fail(f"The engine could not be started: {error.strerror or error}.")
                return state
            self._client, self._given_up = client, 0
            self._reader = asyncio.create_task(self._read(client))
        await self._client.send(order)
        return state

    async def pause(self, paused: bool) -> None:
        """Have the run stand still, or go on."""
        await self._tell(Pause(paused))

    async def prefer(self, job: str) -> None:
        """Have a job that waits decoded next."""
        await self._tell(Prefer(job))

    async def cancel(self, job: str) -> None:
        """Take a job out of the run."""
        await self._tell(Cancel(job))

    async def _tell(self, command: Command) -> None:
        if self.busy and self._client is not None:
            await self._client.send(command)

    async def stop(self) -> None:
        """End the run; what is finished stays. Returns when it has ended.

        While the model loads nothing is decoded, so there is nothing to wait for: the engine ends the run when it has
        loaded the model, which the next run then finds ready.
        """
        state = self.state
        if state is None or state.over or self._client is None:
            return
        state.stopping()
        await self._client.send(StopRun())
        if state.started is None:
            self._given_up += 1
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._until_over(state), STOP_PATIENCE)
            if not state.over:
                await self.close()  # finished records are on disk
        if not state.over:
            state.phase = Phase.STOPPED
            state.revision += 1

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
        async for event in client.events():
            if self._given_up and not isinstance(event, Loading | ModelReady | EngineDied):
                self._given_up -= isinstance(event, RunFinished | Failed)
            elif self.state is not None:
                self.state.apply(event)

    async def _until_over(self, state: RunState) -> None:
        while not state.over:
            await asyncio.sleep(0.05)
