"""Compiles schemas in a child process, with limits on time and memory, and caches the result for all runs.

With Outlines a small schema takes a tenth of a second, an unlucky one hours and gigabytes. Its compiler cannot be
interrupted, but a process can be killed. With llguidance any schema should take milliseconds, but the schema is the
user's: the child tries it first, and only one that the child survived is compiled in this process, where a crash would
cost the run. The result (for llguidance just the fact that there was one) is kept in the cache folder under a hash of
all that goes into it.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.backends import GrammarError
from engine.grammars.grammar import WHITESPACE, Backend, Grammar
from engine.grammars.llguidance_grammar import LlguidanceGrammar, Tokens
from engine.grammars.llguidance_lint import lint_for_llguidance
from engine.grammars.outlines_grammar import OutlinesGrammar
from engine.grammars.outlines_lint import lint_for_outlines
from engine.models.builtin import cache_folder
from engine.models.loading import PAUSE, Emit
from engine.protocol.commands import GrammarKind
from engine.protocol.events import Loading

_CHILD = [sys.executable, "-P", "-m", "engine.grammars.compile_child"]
_RECIPE = 2  # raise it when the same schema is compiled to something else
_MAX_CACHED = 64 << 20  # bytes; a larger index takes as long to read as to build
_DIGEST = 32  # bytes of a SHA-256


def compile_grammar(
    schema: Mapping[str, Any],
    vocabulary: Mapping[bytes, Sequence[int]],
    stop_ids: Sequence[int],
    seconds: float,
    emit: Emit,
    kind: GrammarKind = "auto",
) -> Grammar:
    """The grammar of a schema, from the cache or compiled now.

    `vocabulary` maps the bytes that a token writes to the ids of the tokens that write them. `kind` names the library;
    "auto" takes outlines_core where its lint finds no defect and it can express the schema, else llguidance. Each gets
    `seconds`. Raises GrammarError with the reason why there is no grammar, for "auto" the reasons of both libraries.
    """
    emit(Loading("compiling the schema"))
    target = _Target(vocabulary, tuple(stop_ids), seconds, emit)
    if kind == "outlines_core":
        return _by_outlines(schema, target)
    if kind == "llguidance":
        return _by_llguidance(schema, target)
    try:
        return _by_outlines(schema, target)
    except GrammarError as first:
        try:
            return _by_llguidance(schema, target)
        except GrammarError as second:
            raise GrammarError(f"{first} {second}") from second


class _TimeoutError(GrammarError):
    pass


@dataclass(frozen=True, slots=True)
class _Target:
    """What a schema is compiled for, and in how much time."""

    vocabulary: Mapping[bytes, Sequence[int]]
    stop_ids: tuple[int, ...]
    seconds: float
    emit: Emit


def _by_outlines(schema: Mapping[str, Any], target: _Target) -> Grammar:
    found = lint_for_outlines(schema)
    found.raise_first("outlines_core")
    unenforced = tuple(found.unenforced)
    given = found.schema_for_the_library(schema)
    file = _cache_file("outlines_core", given, target)
    if (data := _read(file)) is not None:
        try:
            return OutlinesGrammar.from_bytes(data, unenforced)
        except (ValueError, struct.error):
            pass  # this version writes something else: it is compiled again
    too_long = file.with_name(f"{file.name}-{target.seconds:g}s")
    if (reason := _read(too_long)) is not None:  # else every run of a suite would wait for it again
        raise GrammarError(reason.decode())
    try:
        data = _compile(("outlines_core", given, dict(target.vocabulary), target.stop_ids), target)
    except _TimeoutError as error:
        _store(too_long, str(error).encode())
        raise
    _store(file, data)
    return OutlinesGrammar.from_bytes(data, unenforced)


def _by_llguidance(schema: Mapping[str, Any], target: _Target) -> Grammar:
    found = lint_for_llguidance(schema)
    found.raise_first("llguidance")
    given = found.schema_for_the_library(schema)
    file = _cache_file("llguidance", given, target)
    if _read(file) is None:
        _store(file, _compile(("llguidance", given, {}, target.stop_ids), target))
    return LlguidanceGrammar(given, _tokens(_Vocabulary(target)), tuple(found.unenforced))


class _Vocabulary:
    """A vocabulary, hashable by content, so that what is computed from it can be cached."""

    def __init__(self, target: _Target) -> None:
        self.of = target
        self.digest = _digest(target)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Vocabulary) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@lru_cache(maxsize=2)
def _tokens(vocabulary: _Vocabulary) -> Tokens:
    return Tokens(vocabulary.of.vocabulary, vocabulary.of.stop_ids)


def _digest(target: _Target) -> bytes:
    digest = hashlib.sha256(json.dumps(target.stop_ids).encode())
    for text, ids in sorted(target.vocabulary.items()):
        digest.update(struct.pack(f"<I{len(text)}s{len(ids)}Q", len(text), text, *ids))
    return digest.digest()


def _cache_file(backend: Backend, schema: Mapping[str, Any], target: _Target) -> Path:
    # The keys are not sorted: the grammar asks for the properties in the schema's order.
    recipe = [_RECIPE, backend, version(backend), WHITESPACE, schema, _digest(target).hex()]
    return cache_folder() / "grammars" / hashlib.sha256(json.dumps(recipe).encode()).hexdigest()


def _compile(task: tuple[Any, ...], target: _Target) -> bytes:
    """Run the task in a child process, which is killed when the time is over and when `emit` raises."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as given:
        # A file, not a pipe: after a timeout `communicate` does not continue to write to the child's stdin.
        pickle.dump(task, given)
        given.seek(0)
        with subprocess.Popen(_CHILD, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            try:
                while (elapsed := time.monotonic() - started) < target.seconds:
                    try:
                        data, message = child.communicate(timeout=PAUSE)
                    except subprocess.TimeoutExpired:
                        target.emit(Loading("compiling the schema", int(elapsed), None, "s"))
                    else:
                        return _result(child.returncode, data, message)
                limit = f"{target.seconds:g} s; [generation] compile_seconds allows it more."
                raise _TimeoutError(f"The schema was not compiled within {limit}")
            except BaseException:
                child.kill()
                raise


def _result(status: int, data: bytes, message: bytes) -> bytes:
    if status == 0:
        return data
    if status < 0:
        reason = signal.Signals(-status).name  # SIGABRT: it asked for more memory than its limit
        raise GrammarError(f"The schema could not be compiled: the process was ended by {reason}.")
    lines = message.decode("utf-8", "replace").strip().splitlines()
    raise GrammarError(lines[-1] if lines else "The schema could not be compiled.")


def _read(file: Path) -> bytes | None:
    try:
        content = file.read_bytes()
    except OSError:
        return None
    digest, data = content[:_DIGEST], content[_DIGEST:]
    return data if hashlib.sha256(data).digest() == digest else None


def _store(file: Path, data: bytes) -> None:
    """Write to the cache in one step. A cache that cannot be written costs time, not the run."""
    if len(data) > _MAX_CACHED:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as fresh:
            fresh.write(hashlib.sha256(data).digest() + data)
        os.replace(fresh.name, file)
    except OSError:
        return
