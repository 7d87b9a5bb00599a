"""Steps a decoder until it is done or stopped; standing still and running out of memory are the same for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.backends import Decoder
from engine.errors import EngineError
from engine.happenings import Happening
from engine.protocol.events import Cancel, Event, Paused, Prefer
from engine.running.control import Control


def steps(
    decoder: Decoder,
    control: Control,
    emit: Callable[[Event], None],
    grant: Callable[[Prefer | Cancel], None],
    before_pause: Callable[[], None],
) -> Iterator[Iterator[Happening]]:
    """What happens, step by step: each step is to be gone through before the next.

    grant: does what the user wishes. before_pause: sends what waits to be sent.

    Going through a step raises EngineError where the memory does not hold a single job.
    """
    while decoder.busy and not control.stopped.is_set():
        for wish in control.take_wishes():
            grant(wish)
        if control.paused:
            before_pause()
            emit(Paused(True))
            while control.paused:
                control.wait()
                for wish in control.take_wishes():
                    grant(wish)
            emit(Paused(False))
            continue
        yield _step(decoder)


def _step(decoder: Decoder) -> Iterator[Happening]:
    try:
        yield from decoder.step()
    except RuntimeError as error:
        from engine.models.placement import out_of_memory  # PyTorch, which a server needs not

        if not out_of_memory(error):
            raise
        raise EngineError(
            "The memory does not hold one job, neither its prompt nor its reply; what was finished is kept."
        ) from error
