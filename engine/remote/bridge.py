"""Between the interface and an engine elsewhere: takes the place of the engine's process on this machine.

Orders go there with the suite's text, events come back with the folders of this machine, and runs are kept here too.
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

from pydantic import ValidationError

from engine.errors import BadInputError, EngineError
from engine.protocol.commands import Command, KeepFiles, Pause, StartRun, StartSearch, StartTrial, decode_command
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
from engine.protocol.pipes import EventWriter, on_sigterm, private_stdin, private_stdout
from engine.remote.connection import Connection
from engine.remote.files import to_send
from engine.remote.mirror import Mirror
from engine.runs.store import prepare


def serve_elsewhere(command: Sequence[str], out: Path, *, keep_running: bool = False, log: Path | None = None) -> None:
    """Speak with the interface as the engine itself would, until stdin closes or the connection is lost.

    keep_running: finish what is on when stdin closes, and only then end. log: the file that stderr goes to.
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
            bridge.tell(event)
            if not emit.has_reader and not bridge.busy:
                bridge.leave()
        code = bridge.end()
    except BaseException:  # a fault of the program; Python's own end would wait for the thread that listens
        traceback.print_exc()
        sys.stderr.flush()
        code = 1
    os._exit(code)


def _listen(bridge: _Bridge, connection: Connection, emit: EventWriter, keep_running: bool) -> None:
    """Pass on what the interface orders, in a thread of its own."""
    for line in private_stdin():
        try:
            bridge.order(decode_command(line))
        except ValidationError as error:
            emit(Failed(f"The engine was sent a line it does not know: {error.errors()[0]['msg']}."))
        except (BadInputError, EngineError) as error:
            bridge.refuse(str(error))
    emit.has_reader = False
    if keep_running and bridge.busy:
        connection.send(Pause(False))  # nobody is left who could let it go on
    else:
        bridge.leave()


class _Bridge:
    """What is on, at most one run or search at a time. Orders come in one thread, events in another."""

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

    def order(self, command: Command) -> None:
        """Pass on an order. Raises BadInputError where it cannot be one."""
        if isinstance(command, StartRun | StartTrial | StartSearch):
            self.busy = True
            command = self._translated(command)
        self._connection.send(command)

    def _translated(self, order: StartRun | StartTrial | StartSearch) -> StartRun | StartTrial | StartSearch:
        """The order in paths of the other side, where its suite is by then."""
        prepare(self._out)
        sent = to_send(order.suite)
        self._connection.send(KeepFiles(sent.files))
        self._mirror = mirror = Mirror(self._command, order.suite, self._out, self._log)
        suite = self._suites / sent.suite
        match order:
            case StartRun(resume=run) if run is not None:
                return replace(order, suite=suite, resume=mirror.resume(run))
            case StartTrial(of=run):
                return replace(order, suite=suite, of=mirror.beside(run))
        return replace(order, suite=suite)

    def refuse(self, sentence: str) -> None:
        """An order that cannot be one."""
        self._close()
        self._emit(Failed(sentence, bad_input=True))

    def tell(self, event: Event) -> None:
        """Keep what is to be kept of an event, and pass it on."""
        try:
            self._tell(event)
        except (BadInputError, EngineError) as error:
            self._connection.close()  # the records are safe there
            self._close()
            self._emit(Failed(str(error)))

    def _tell(self, event: Event) -> None:
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
        """The interface has gone, and what is on is to end."""
        self._left = True
        self._connection.close()

    def end(self) -> int:
        """No more events will come. The exit code."""
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
