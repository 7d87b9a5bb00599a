"""The identity of a model: SHA-256 of the files it consists of. Each file is hashed once, and the result is cached.

Hashing runs in threads while the same files are loaded, so that the disk is read once for both; it takes about one
second of a core for a gigabyte. From then on a file is recognised by its path, size and time of change:

    <cache>/hashes/<SHA-256 of path, size, time of change>    the SHA-256 of the file, in hex
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from engine.models.builtin import cache_folder
from engine.models.loading import PAUSE, Emit, counter

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_CONFIGS = ("config.json", "generation_config.json", "model.safetensors.index.json", "pytorch_model.bin.index.json")
_TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
_SHA256 = re.compile("[0-9a-f]{64}")
_THREADS = min(4, os.cpu_count() or 1)  # few disks read faster than four threads hash
_CHUNK = 1 << 22  # bytes; hashlib releases the GIL for as long as it takes to hash them


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """SHA-256 sums, in hex."""

    files: Mapping[str, str]
    """Of each file, by its name."""
    model: str
    """Of the weights and the configuration together, see `combined`."""
    tokenizer: str
    """Of the tokenizer's files together, see `combined`."""
    chat_template: str
    """Of its text."""


class Hashing:
    """Hashes the files of a model in threads, which start at once. A context manager: on its exit the threads end."""

    def __init__(self, folder: Path, weights: Iterable[Path], tokenizer: PreTrainedTokenizerBase) -> None:
        """weights: the files that the weights are read from."""
        self._model = {file.name for file in weights} | _existing(folder, _CONFIGS)
        vocabularies = tokenizer.vocab_files_names.values()
        self._tokenizer = _existing(folder, (*_TOKENIZERS, *vocabularies))
        self._chat_template = chat_template_sha256(tokenizer)
        files = sorted(self._model | self._tokenizer)
        self._total = sum((folder / name).stat().st_size for name in files)
        self._read = dict.fromkeys(files, 0)
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(_THREADS, "hashing")
        self._hashes = {name: self._pool.submit(self._hash, folder / name) for name in files}

    def __enter__(self) -> Hashing:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._pool.shutdown(cancel_futures=True)

    def result(self, step: str, emit: Emit) -> Fingerprints:
        """Wait for the result, reporting progress as this step. Raises OSError."""
        count = counter(step, self._total, "bytes", emit)
        while wait(self._hashes.values(), timeout=PAUSE).not_done:
            count(sum(self._read.values()))
        files = {name: found.result() for name, found in self._hashes.items()}
        model, tokenizer = (combined({name: files[name] for name in names}) for names in (self._model, self._tokenizer))
        return Fingerprints(files, model, tokenizer, self._chat_template)

    def _hash(self, file: Path) -> str:
        known = _hub_hash(file) or _remembered(file)
        if known is not None:
            self._read[file.name] = file.stat().st_size
            return known
        before = file.stat()
        digest, buffer = hashlib.sha256(), bytearray(_CHUNK)
        with file.open("rb", buffering=0) as opened:
            while not self._ended.is_set() and (size := opened.readinto(buffer)):
                digest.update(memoryview(buffer)[:size])
                self._read[file.name] += size
        if not self._ended.is_set() and _same(before, file.stat()):
            _remember(file, digest.hexdigest())
        return digest.hexdigest()


def combined(files: Mapping[str, str]) -> str:
    """One SHA-256 for several files, given theirs by name: that of `sha256sum A B … | sha256sum`, sorted by name."""
    return hashlib.sha256("".join(f"{files[name]}  {name}\n" for name in sorted(files)).encode()).hexdigest()


def chat_template_sha256(tokenizer: PreTrainedTokenizerBase) -> str:
    """Of the template's text; of several templates, of a JSON object with their names as keys."""
    template = tokenizer.chat_template
    text = template if isinstance(template, str) else json.dumps(template, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _existing(folder: Path, names: Iterable[str]) -> set[str]:
    return {name for name in names if (folder / name).is_file()}


def _hub_hash(file: Path) -> str | None:
    """The SHA-256 that a large file has as its name in the hub's cache; the hub's client has verified it.

    Small files are named differently there, by a SHA-1 as Git makes it.
    """
    blob = file.resolve()
    return blob.name if blob.parent.name == "blobs" and _SHA256.fullmatch(blob.name) else None


def _remembered(file: Path) -> str | None:
    try:
        text = _note_of(file).read_text("ascii")
    except (OSError, ValueError):
        return None
    return text if _SHA256.fullmatch(text) else None


def _remember(file: Path, sha256: str) -> None:
    """Written in one step. A cache that cannot be written costs time, not the run."""
    try:
        note = _note_of(file)
        note.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=note.parent, delete=False) as fresh:
            fresh.write(sha256)
        os.replace(fresh.name, note)
    except OSError:
        return


def _note_of(file: Path) -> Path:
    path, stat = file.resolve(), file.stat()
    key = f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}"
    return cache_folder() / "hashes" / hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)
