"""The child process: commands as JSON lines on stdin, events as JSON lines on stdout, everything else on stderr."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from engine import __version__
from engine.errors import BadInputError, EngineError
from engine.models.adapter_folder import AdapterFolder
from engine.protocol.commands import (
    GRACE,
    Cancel,
    KeepFiles,
    Pause,
    Prefer,
    RenderPrompt,
    StartRun,
    StartSearch,
    StartTrial,
    StopRun,
    decode_command,
)
from engine.protocol.events import Failed, Hello
from engine.protocol.pipes import EventWriter, at_sigterm, private_stdin, private_stdout
from engine.remote.files import SUITES, keep
from engine.running.control import Control
from engine.servers.spec import ServerSpec
from engine.worker.start import open_session

if TYPE_CHECKING:
    from engine.worker.session import Session

Order = StartRun | StartTrial | StartSearch


def serve(
    model: str | None,
    device: str,
    dtype: str,
    out: Path,
    *,
    adapters: Sequence[AdapterFolder | None] = (),
    keep_running: bool = False,
    log: Path | None = None,
    greet: bool = False,
    server: ServerSpec | None = None,
) -> None:
    """Do what is asked for until stdin closes, which it does when the parent goes.

    adapters: those that runs may ask for. keep_running: finish what is on then, and only then end. log: the file that
    stderr goes to, for others to find.
    greet: begin with a Hello, for an interface on another machine. server: as in open_session.
    """
    emit = EventWriter(private_stdout(), keep_running)
    suites = out.absolute() / SUITES
    if greet:
        emit(Hello(__version__, suites))
    desk = _Desk(emit, keep_running, suites)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a connection that drops takes the interface with it, not the run
    at_sigterm(desk.close)
    threading.Thread(target=desk.listen, daemon=True).start()
    try:
        session = open_session(model, device, dtype, out, emit, log, adapters, server)
        if server is None:
            from engine.worker.prompt_rendering import (
                render_all,  # imports transformers, which open_session has prepared for
            )

            render, chat = render_all, model
        else:
            from engine.servers.backend import render_none

            render, chat = render_none, server.model
        threading.Thread(target=render, args=(desk.prompts, chat, emit), daemon=True).start()
        _work(session, desk, emit)
    except BaseException:
        # A fault of the program. The run it was at is closed by now; Python's own end would be an abort, since other
        # threads still wait for commands and hold what it takes apart.
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _work(session: Session, desk: _Desk, emit: EventWriter) -> None:
    """Carry out orders until there are to be no more, or nobody hears of it."""
    while (item := desk.orders.get()) is not None:
        order, control = item
        try:
            if isinstance(order, StartSearch):
                session.search(order, control)
            else:
                session.run(order, control)
        except BadInputError as error:
            emit(Failed(str(error), bad_input=True))
        except EngineError as error:
            emit(Failed(str(error)))
        emit.run_is_open = False
        desk.undone -= 1
        if not emit.heard:
            break


class _Desk:
    """Where commands come in. orders: what is to be done, each with its control; None ends the process.

    suites: the folder for those that are sent. prompts: what is to be rendered meanwhile. undone: how many orders are
    not done yet.
    """

    def __init__(self, emit: EventWriter, keep_running: bool, suites: Path) -> None:
        self._emit, self._keep_running, self._suites = emit, keep_running, suites
        self._control = Control()
        self.prompts: queue.SimpleQueue[RenderPrompt] = queue.SimpleQueue()
        self.orders: queue.SimpleQueue[tuple[Order, Control] | None] = queue.SimpleQueue()
        self.undone = 0

    def listen(self) -> None:
        """Read commands, in a thread of its own, so that a pause is heard in the middle of a run."""
        for line in private_stdin():
            try:
                self._take(decode_command(line))
            except ValidationError as error:
                message = error.errors()[0]["msg"]
                self._emit(Failed(f"The engine was sent a line it does not know: {message}."))
            except (BadInputError, EngineError) as error:
                self._emit(Failed(str(error)))
        if self._keep_running and self.undone:
            self._control.pause(False)  # nobody is left who could let it go on
            self.orders.put(None)
        else:
            self.close()

    def _take(self, command: object) -> None:
        match command:
            case StartRun() | StartTrial() | StartSearch():
                self._control = Control()
                self.undone += 1
                self.orders.put((command, self._control))
            case Pause(paused=paused):
                self._control.pause(paused)
            case RenderPrompt():
                self.prompts.put(command)
            case KeepFiles(files=files):
                keep(files, self._suites)
            case StopRun():
                self._control.stop()
            case Prefer() | Cancel():
                self._control.request(command)

    def close(self) -> None:
        """End the run that is on, if there is one, and then the process."""
        if not self._emit.run_is_open:
            os._exit(0)  # there is nothing to close, and a model that loads would be loaded for nobody
        self._control.stop()
        self.orders.put(None)
        timer = threading.Timer(GRACE, os._exit, args=(1,))
        timer.daemon = True
        timer.start()
