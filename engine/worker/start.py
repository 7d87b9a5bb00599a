"""Opens a session: what has to come before the import of PyTorch, and that import."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    with pytorch_import(emit):
        from engine.models.model import ModelSpec
        from engine.worker.session import Session

    return Session(ModelSpec(options.model, options.device, options.dtype, adapters), options.out, emit, log)


@contextmanager
def pytorch_import(emit: Callable[[Loading], None]) -> Iterator[None]:
    """Prepare the process for the import of PyTorch, which stands inside. Emits an event first, as it takes seconds."""
    emit(Loading("starting PyTorch"))
    # OpenMP's threads spin while they wait for each other. When another process needs a core, as the interface does,
    # long spinning keeps the working thread from running: ten times slower on two cores. Without any spinning a thread
    # sleeps between any two operations: a fifth slower. Hence a few microseconds. Read once, at import.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    gc.disable()  # an import makes no garbage, and the passes over all that it brings take a tenth of its time
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()  # nor do later passes look for garbage in it
