"""Opens a session: what has to come before the import of PyTorch, and that import."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.protocol.events import Event, Loading
from engine.worker.options import EngineOptions

if TYPE_CHECKING:
    from engine.worker.session import Session


def open_session(options: EngineOptions, emit: Callable[[Event], None], log: Path | None = None) -> Session:
    """A session that loads its model at its first run. Takes seconds, so `emit` gets an event first.

    log: this process's log file. Raises BadInputError as `options.check` does.
    """
    server = options.server_spec
    if server is not None:
        from engine.worker.session import Session

        return Session(server, options.out, emit, log)
    adapters = tuple(filter(None, options.adapter_folders))
    start_pytorch(emit)
    from engine.models.model import ModelSpec
    from engine.worker.session import Session

    return Session(ModelSpec(options.model, options.device, options.dtype, adapters), options.out, emit, log)


def start_pytorch(emit: Callable[[Loading], None]) -> None:
    """Prepare the process for the import of PyTorch. Emits an event first, as that import takes seconds."""
    emit(Loading("starting PyTorch"))
    # OpenMP's threads spin while they wait for each other. When another process needs a core, as the interface does,
    # long spinning keeps the working thread from running: ten times slower on two cores. Without any spinning a thread
    # sleeps between any two operations: a fifth slower. Hence a few microseconds. Read once, at import.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
