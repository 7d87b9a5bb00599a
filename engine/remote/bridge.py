"""The process between the interface and an engine on another machine, in place of an engine on this one.

Commands are sent with the suite's text, events come back with the folders of this machine, runs are stored here too.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.errors import BadInputError, EngineError
from engine.protocol.commands import (
    Command,
    KeepFiles,
    Pause,
    StartCommand,
    StartRun,
    StartSearch,
    StartTrial,
)
from engine.protocol.events import (
    Event,
    Failed,
    Hello,
    JobFinished,
    Loading,
    ManifestWritten,
    RunFinished,
    RunStarted,
    SearchFinished,
    SearchStarted,
)
from engine.protocol.pipes import EventWriter, on_sigterm, private_stdout, read_commands
from engine.remote.connection import Connection
from engine.remote.files import pack_suite
from engine.remote.mirror import Mirror
from engine.runs.store import prepare


def serve_elsewhere(command: Sequence[str], out: Path, *, keep_running: bool = False, log: Path | None = None) -> None:
    """Serve the interface as an engine would, until stdin closes or the connection is lost.

    keep_running: finish the current run after stdin closes. log: the file that stderr goes to.
    """
    emit = EventWriter(private_stdout(), keep_running)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        emit(Loading(f"connecting to the engine: {command[0]}"))
        connection = Connection(command)
        bridge = _Bridge(connection, command, connection.greeting(), out, emit, log)
    except EngineError as error:
        emit(Failed(str(error)))
        os._exit(1)
    on_sigterm(bridge.leave)
    threading.Thread(target=_listen, args=(bridge, connection, emit, keep_running), daemon=True).start()
    try:
        for event in connection.events():
            bridge.handle(event)
            if not emit.has_reader and not bridge.busy:
                bridge.leave()
        code = bridge.end()
    except BaseException:  # a bug in the program; Python's own exit would wait for the thread that listens
        traceback.print_exc()
        sys.stderr.flush()
        code = 1
    os._exit(code)


def _listen(bridge: _Bridge, connection: Connection, emit: EventWriter, keep_running: bool) -> None:
    """Forward the commands of the interface, in a thread of its own."""
    for command in read_commands(emit):
        try:
            bridge.forward(command)
        except (BadInputError, EngineError) as error:
            bridge.refuse(str(error))
    emit.has_reader = False
    if keep_running and bridge.busy:
        connection.send(Pause(False))  # no one is left who could resume it
    else:
        bridge.leave()


class _Bridge:
    """The current run or search, at most one at a time. Commands come in one thread, events in another."""

    busy: bool
    """Whether a run or a search has been ordered and has not ended."""

    def __init__(
        self,
        connection: Connection,
        command: Sequence[str],
        hello: Hello,
        out: Path,
        emit: EventWriter,
        log: Path | None,
    ) -> None:
        self._connection, self._command, self._suites = connection, command, hello.suites
        self._out, self._emit, self._log = out, emit, log
        self._mirror: Mirror | None = None
        self._left = False
        self.busy = False

    def forward(self, command: Command) -> None:
        """Send a command to the other side. Raises BadInputError for one that cannot be carried out there."""
        if isinstance(command, StartRun | StartTrial | StartSearch):
            self.busy = True
            command = self._translate(command)
        self._connection.send(command)

    def _translate(self, command: StartCommand) -> StartCommand:
        """The command with the paths of the other side, after its suite was sent there."""
        prepare(self._out)
        sent = pack_suite(command.suite)
        self._connection.send(KeepFiles(sent.files))
        self._mirror = mirror = Mirror(self._command, command.suite, self._out, self._log)
        suite = self._suites / sent.suite
        match command:
            case StartRun(resume=run) if run is not None:
                return replace(command, suite=suite, resume=mirror.resume(run))
            case StartTrial(of=run):
                return replace(command, suite=suite, of=mirror.try_on(run))
        return replace(command, suite=suite)

    def refuse(self, sentence: str) -> None:
        """Report a command that was not forwarded."""
        self._close()
        self._emit(Failed(sentence, bad_input=True))

    def handle(self, event: Event) -> None:
        """Store what belongs to the run's folder, and emit the event."""
        try:
            self._handle(event)
        except (BadInputError, EngineError) as error:
            self._connection.close()  # the records are safe on the other side
            self._close()
            self._emit(Failed(str(error)))

    def _handle(self, event: Event) -> None:
        mirror = self._mirror
        match event:
            case ManifestWritten(folder=folder, manifest=manifest) if mirror is not None:
                mirror.write_manifest(folder, manifest)
                return
            case RunStarted() if mirror is not None:
                event = replace(event, folder=mirror.folder, trial_of=mirror.trial_of)
            case JobFinished(record=record) if mirror is not None:
                mirror.append(record)
            case RunFinished() if mirror is not None and mirror.begun:
                event = replace(event, folder=mirror.folder)
                self._close()
            case SearchStarted() | SearchFinished():
                event = replace(event, folder=self._out / event.folder.name)
        if isinstance(event, RunFinished | SearchFinished | Failed):
            self._close()
        self._emit(event)

    def leave(self) -> None:
        """End the current run, after the interface has exited."""
        self._left = True
        self._connection.close()

    def end(self) -> int:
        """Close after the last event. Returns the exit code."""
        was_busy = self.busy
        self._close()
        if self._left and not was_busy:
            return 0
        self._emit(Failed(self._connection.lost()))
        return 1

    def _close(self) -> None:
        if self._mirror is not None:
            self._mirror.close()
        self._mirror, self.busy = None, False
        self._emit.run_is_open = False
