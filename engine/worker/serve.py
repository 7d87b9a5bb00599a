"""The engine's process: commands as JSON lines on stdin, events as JSON lines on stdout, all else on stderr."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from engine import __version__
from engine.errors import BadInputError, EngineError
from engine.protocol.commands import (
    GRACE,
    Cancel,
    Command,
    KeepFiles,
    Pause,
    Prefer,
    RenderPrompt,
    StartCommand,
    StartRun,
    StartSearch,
    StartTrial,
    StopRun,
)
from engine.protocol.events import Failed, Hello
from engine.protocol.pipes import EventWriter, on_sigterm, private_stdout, read_commands
from engine.remote.files import SUITES, write_files
from engine.running.control import Control
from engine.worker.options import EngineOptions
from engine.worker.start import open_session

if TYPE_CHECKING:
    from engine.worker.session import Session


def serve(options: EngineOptions, *, log: Path | None = None, greet: bool = False) -> None:
    """Run commands until stdin closes, which it does when the parent exits.

    With `options.keep_running` the current run is finished first. log: the file that stderr goes to, for others to
    find. greet: begin with a Hello, for an interface on another machine.
    """
    emit = EventWriter(private_stdout(), options.keep_running)
    suites = options.out.absolute() / SUITES
    if greet:
        emit(Hello(__version__, suites))
    commands = CommandQueue(emit, options.keep_running, suites)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a connection that drops takes the interface with it, not the run
    on_sigterm(commands.close)
    threading.Thread(target=commands.listen, daemon=True).start()
    try:
        session = open_session(options, emit, log)
        if options.server_spec is None:
            # Imports transformers, for which open_session has prepared this process.
            from engine.worker.prompt_rendering import render_all

            render, chat = render_all, options.model
        else:
            from engine.servers.backend import render_none

            render, chat = render_none, options.model
        threading.Thread(target=render, args=(commands.prompts, chat, emit), daemon=True).start()
        _work(session, commands, emit)
    except BaseException:
        # A bug in the program. Its run is closed by now; Python's own exit would be an abort, since other threads still
        # wait for commands and hold what it takes apart.
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _work(session: Session, commands: CommandQueue, emit: EventWriter) -> None:
    """Run queued commands until shutdown, or until the reader is gone."""
    while (item := commands.starts.get()) is not None:
        command, control = item
        try:
            if isinstance(command, StartSearch):
                session.search(command, control)
            else:
                session.run(command, control)
        except BadInputError as error:
            emit(Failed(str(error), bad_input=True))
        except EngineError as error:
            emit(Failed(str(error)))
        emit.run_is_open = False
        commands.unfinished -= 1
        if not emit.has_reader:
            break


class CommandQueue:
    """The commands from stdin: starts wait here for the session, all others are applied at once."""

    starts: queue.SimpleQueue[tuple[StartCommand, Control] | None]
    """What to run next, each with its control; None ends the process."""

    prompts: queue.SimpleQueue[RenderPrompt]
    """What to render meanwhile, in another thread."""

    unfinished: int
    """How many starts have not ended yet."""

    def __init__(self, emit: EventWriter, keep_running: bool, suites: Path) -> None:
        """suites: the folder for suites that are sent."""
        self._emit, self._keep_running, self._suites = emit, keep_running, suites
        self._control = Control()  # of the start that came last
        self.starts = queue.SimpleQueue()
        self.prompts = queue.SimpleQueue()
        self.unfinished = 0

    def listen(self) -> None:
        """Read commands, in a thread of its own, so that a pause is received in the middle of a run."""
        for command in read_commands(self._emit):
            try:
                self._apply(command)
            except (BadInputError, EngineError) as error:
                self._emit(Failed(str(error)))
        if self._keep_running and self.unfinished:
            self._control.pause(False)  # no one is left who could resume it
            self.starts.put(None)
        else:
            self.close()

    def _apply(self, command: Command) -> None:
        match command:
            case StartRun() | StartTrial() | StartSearch():
                self._control = Control()
                self.unfinished += 1
                self.starts.put((command, self._control))
            case Pause(paused=paused):
                self._control.pause(paused)
            case RenderPrompt():
                self.prompts.put(command)
            case KeepFiles(files=files):
                write_files(files, self._suites)
            case StopRun():
                self._control.stop()
            case Prefer() | Cancel():
                self._control.request(command)

    def close(self) -> None:
        """End the current run, if there is one, and then the process."""
        if not self._emit.run_is_open:
            os._exit(0)  # nothing to close, and a model that is being loaded is not needed any more
        self._control.stop()
        self.starts.put(None)
        timer = threading.Timer(GRACE, os._exit, args=(1,))
        timer.daemon = True
        timer.start()
