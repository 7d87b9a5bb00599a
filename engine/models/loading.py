"""Used wherever a model is prepared: progress of steps, child processes, and libraries that keep quiet."""

from __future__ import annotations

import logging
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from engine.errors import BadInputError
from engine.protocol.events import Loading
from engine.text import printable

Emit: TypeAlias = Callable[[Loading], None]
"""Called with each loading step and its progress, about ten times a second at most."""

PAUSE = 0.1
"""Seconds between two events of one step."""


class ModelError(BadInputError):
    """A model that cannot be used. The message is one sentence: what is wrong and, where possible, what to do."""


def run_child(command: Sequence[str], env: dict[str, str], tick: Callable[[float], None]) -> tuple[int, str]:
    """Run a command to its end, without a terminal; returns its exit status and its output.

    `tick` is called ten times a second with the seconds so far. The child is killed when `tick` raises and when the
    user interrupts, since its result is then no longer needed.
    """
    started = time.monotonic()
    with subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as child:
        try:
            while True:
                tick(time.monotonic() - started)
                try:
                    said, _ = child.communicate(timeout=PAUSE)
                except subprocess.TimeoutExpired:
                    continue
                return child.returncode, said
        except BaseException:
            child.kill()
            raise


def clock(step: str, emit: Emit) -> Callable[[float], None]:
    """A function that takes the seconds so far of a step without a known length, and emits every full one."""
    last = -1

    def tick(seconds: float) -> None:
        nonlocal last
        if int(seconds) != last:
            last = int(seconds)
            emit(Loading(step, last, None, "s"))

    return tick


def counter(step: str, total: int, unit: str, emit: Emit) -> Callable[[int], None]:
    """A function that takes how much is done so far and emits it, at most once in PAUSE seconds."""
    last, reported = 0.0, -1

    def count(done: int) -> None:
        nonlocal last, reported
        now = time.monotonic()
        if done != reported and (now - last >= PAUSE or done == total):
            last, reported = now, done
            emit(Loading(step, done, total, unit))

    return count


@contextmanager
def quiet(step: str, emit: Emit) -> Iterator[None]:
    """Keep transformers and huggingface_hub off the terminal, and emit what their weight-loading bar would show.

    Their switches are global to the process, so they are restored at the end.
    """
    from transformers.utils import logging as transformers_logging  # lazy: it takes seconds to import

    def instead_of_tqdm(make: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if options.get("desc") == "Loading weights" and args:
            items = list(args[0])
            return _counted(items, counter(step, len(items), "tensors", emit))
        return make(*args, **options)

    bars, verbosity = transformers_logging.is_progress_bar_enabled(), transformers_logging.get_verbosity()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity(logging.ERROR)
    hook = transformers_logging.set_tqdm_hook(instead_of_tqdm)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.set_tqdm_hook(hook)
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _counted(items: list[Any], count: Callable[[int], None]) -> Iterator[Any]:
    for done, item in enumerate(items):
        count(done)
        yield item
    count(len(items))


def first_sentence(error: BaseException) -> str:
    """A library's error message without the advice that follows: its first line, in printable characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return printable(lines[0] if lines else type(error).__name__)


def gigabytes(count: int) -> str:
    """A number of bytes, for a person: `14.2 GB`."""
    return f"{count / 1e9:.1f} GB"


def folder_size(folder: Path, pattern: str) -> int:
    """Bytes in the matching files below a folder; files that vanish in the meantime count as empty."""
    total = 0
    for file in folder.rglob(pattern):
        try:
            total += file.stat().st_size
        except OSError:
            continue
    return total
