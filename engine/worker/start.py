"""From a light process to one with a model in it: what has to come before PyTorch is imported, and the import."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.models.adapter_folder import AdapterFolder
from engine.protocol.events import Event, Loading

if TYPE_CHECKING:
    from engine.servers.spec import ServerSpec
    from engine.worker.session import Session


def open_session(
    model: str | None,
    device: str,
    dtype: str,
    out: Path,
    emit: Callable[[Event], None],
    log: Path | None = None,
    adapters: Sequence[AdapterFolder | None] = (),
    server: ServerSpec | None = None,
) -> Session:
    """A session for this model, which is loaded at its first run. Takes seconds, so `emit` is told first.

    adapters: those that its runs may ask for; None, the model alone, need not be among them.
    server: instead of a model on this machine; the others say nothing then, but for `out` and `log`.
    """
    if server is not None:
        from engine.worker.session import Session

        return Session(server, out, emit, log)
    start_pytorch(emit)
    from engine.models.model import ModelSpec
    from engine.worker.session import Session

    return Session(ModelSpec(model, device, dtype, tuple(filter(None, adapters))), out, emit, log)


def start_pytorch(emit: Callable[[Loading], None]) -> None:
    """What has to come before PyTorch is imported. `emit` is told, as the import takes seconds."""
    emit(Loading("starting PyTorch"))
    # OpenMP's threads spin while they wait for each other. Where another process wants a core, as the interface does,
    # a thread that spins for long keeps the working one from running: ten times slower on two cores. One that does not
    # spin at all sleeps between any two operations: a fifth slower. So a few microseconds. Read once, at import.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
