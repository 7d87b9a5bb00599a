"""What tells a model from others: SHA-256 of the files it is made of. Each file is hashed once, and remembered.

Hashing goes on in threads while the same files are loaded, so that the disk is read once for both; it takes about a
second of a core for a gigabyte. From then on a file's path, size and time of change stand for it:

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
from engine.models.loading import PAUSE, Report, counter

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_CONFIGS = ("config.json", "generation_config.json", "model.safetensors.index.json", "pytorch_model.bin.index.json")
_TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
_SHA256 = re.compile("[0-9a-f]{64}")
_THREADS = min(4, os.cpu_count() or 1)  # a disk that reads faster than so many hash is rare
_CHUNK = 1 << 22  # bytes; hashlib lets other threads work meanwhile


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """SHA-256, in hex: of each file by its name, of those the model is made of (weights, configuration), of those the
    tokenizer is made of, and of the text of the chat template. Several files: see `combined`.
    """

    files: Mapping[str, str]
    model: str
    tokenizer: str
    chat_template: str


class Hashing:
    """Hashes the files of a model in threads, from when it is made. A context, at whose end the threads end."""

    def __init__(self, folder: Path, weights: Iterable[Path], tokenizer: PreTrainedTokenizerBase) -> None:
        """weights: the files that they are read from."""
        self._model = {file.name for file in weights} | _there(folder, _CONFIGS)
        vocabularies = tokenizer.vocab_files_names.values()
        self._tokenizer = _there(folder, (*_TOKENIZERS, *vocabularies))
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

    def result(self, step: str, report: Report) -> Fingerprints:
        """What came of it; what is still to be done is reported as this step. Raises OSError."""
        count = counter(step, self._total, "bytes", report)
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
    """One SHA-256 for several files, given theirs by name: as `sha256sum A B … | sha256sum` has it, by name."""
    return hashlib.sha256("".join(f"{files[name]}  {name}\n" for name in sorted(files)).encode()).hexdigest()


def chat_template_sha256(tokenizer: PreTrainedTokenizerBase) -> str:
    """Of the template's text; of several, of a JSON object with their names for keys."""
    template = tokenizer.chat_template
    text = template if isinstance(template, str) else json.dumps(template, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _there(folder: Path, names: Iterable[str]) -> set[str]:
    return {name for name in names if (folder / name).is_file()}


def _hub_hash(file: Path) -> str | None:
    """The hub's cache keeps a large file under its SHA-256, which the hub's client has compared: it is not done again.

    A small one has another name there, a SHA-1 in Git's manner.
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
    """In one step. A cache that cannot be written costs time, not the run."""
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
