"""Compiling a schema out of the way: in a child process, with limits on time and memory, and once for all runs.

With Outlines a small schema takes a tenth of a second, an unlucky one hours and gigabytes; it cannot be interrupted, a
process can. With llguidance any schema should take milliseconds, but a schema may be anything: the child tries it
first, and only what the child came back from is compiled here, where a crash would cost the run. The result, for
llguidance the fact that there was one, is kept in the cache folder under a hash of all that goes into it.
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
from engine.models.loading import PAUSE, Report
from engine.protocol.commands import GrammarKind
from engine.protocol.events import Loading

_CHILD = [sys.executable, "-P", "-m", "engine.grammars.compile_child"]
_RECIPE = 2  # to be raised when the same schema is compiled to something else
_MOST_KEPT = 64 << 20  # bytes; a larger index takes about as long to read as to build
_DIGEST = 32  # bytes of a SHA-256


def compile_grammar(
    schema: Mapping[str, Any],
    vocabulary: Mapping[bytes, Sequence[int]],
    stop_ids: Sequence[int],
    seconds: float,
    report: Report,
    kind: GrammarKind = "auto",
) -> Grammar:
    """The grammar of a schema, from the cache or compiled now.

    `vocabulary` maps the bytes a token writes to the ids of the tokens that write them. `kind` names the library;
    "auto" takes outlines_core where its lint finds no defect and it can express the schema, or else llguidance. Each
    gets `seconds`. Raises GrammarError: the reason there is no grammar, for "auto" both libraries' reasons.
    """
    report(Loading("compiling the schema"))
    order = _Order(vocabulary, tuple(stop_ids), seconds, report)
    if kind == "outlines_core":
        return _by_outlines(schema, order)
    if kind == "llguidance":
        return _by_llguidance(schema, order)
    try:
        return _by_outlines(schema, order)
    except GrammarError as first:
        try:
            return _by_llguidance(schema, order)
        except GrammarError as second:
            raise GrammarError(f"{first} {second}") from second


class _TimeIsUp(GrammarError):
    pass


@dataclass(frozen=True, slots=True)
class _Order:
    """What a schema is compiled for, and in what time."""

    vocabulary: Mapping[bytes, Sequence[int]]
    stop_ids: tuple[int, ...]
    seconds: float
    report: Report


def _by_outlines(schema: Mapping[str, Any], order: _Order) -> Grammar:
    found = lint_for_outlines(schema)
    found.raise_first("outlines_core")
    unenforced = tuple(found.unenforced)
    given = found.schema_for_the_library(schema)
    kept = _kept("outlines_core", given, order)
    if (data := _read(kept)) is not None:
        try:
            return OutlinesGrammar.from_bytes(data, unenforced)
        except (ValueError, struct.error):
            pass  # not what this version writes: it is made again
    too_long = kept.with_name(f"{kept.name}-{order.seconds:g}s")
    if (reason := _read(too_long)) is not None:  # or every run of a suite would wait for it once more
        raise GrammarError(reason.decode())
    try:
        data = _compile(("outlines_core", given, dict(order.vocabulary), order.stop_ids), order)
    except _TimeIsUp as error:
        _keep(too_long, str(error).encode())
        raise
    _keep(kept, data)
    return OutlinesGrammar.from_bytes(data, unenforced)


def _by_llguidance(schema: Mapping[str, Any], order: _Order) -> Grammar:
    found = lint_for_llguidance(schema)
    found.raise_first("llguidance")
    given = found.schema_for_the_library(schema)
    kept = _kept("llguidance", given, order)
    if _read(kept) is None:
        _keep(kept, _compile(("llguidance", given, {}, order.stop_ids), order))
    return LlguidanceGrammar(given, _tokens(_Vocabulary(order)), tuple(found.unenforced))


class _Vocabulary:
    """A vocabulary that is told from others by what is in it, so that the work on it can be kept."""

    def __init__(self, order: _Order) -> None:
        self.of = order
        self.digest = _digest(order)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Vocabulary) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@lru_cache(maxsize=2)
def _tokens(vocabulary: _Vocabulary) -> Tokens:
    return Tokens(vocabulary.of.vocabulary, vocabulary.of.stop_ids)


def _digest(order: _Order) -> bytes:
    digest = hashlib.sha256(json.dumps(order.stop_ids).encode())
    for text, ids in sorted(order.vocabulary.items()):
        digest.update(struct.pack(f"<I{len(text)}s{len(ids)}Q", len(text), text, *ids))
    return digest.digest()


def _kept(backend: Backend, schema: Mapping[str, Any], order: _Order) -> Path:
    # The order of keys stays as it is: the grammar asks for the properties in the order of the schema.
    recipe = [_RECIPE, backend, version(backend), WHITESPACE, schema, _digest(order).hex()]
    return cache_folder() / "grammars" / hashlib.sha256(json.dumps(recipe).encode()).hexdigest()


def _compile(task: tuple[Any, ...], order: _Order) -> bytes:
    """What the child process makes of the task. It is killed when the time is over, or when `report` raises."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as given:
        # A file, not a pipe: `communicate` that ran into its timeout does not go on writing to the child's stdin.
        pickle.dump(task, given)
        given.seek(0)
        with subprocess.Popen(_CHILD, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            try:
                while (elapsed := time.monotonic() - started) < order.seconds:
                    try:
                        data, said = child.communicate(timeout=PAUSE)
                    except subprocess.TimeoutExpired:
                        order.report(Loading("compiling the schema", int(elapsed), None, "s"))
                    else:
                        return _result(child.returncode, data, said)
                limit = f"{order.seconds:g} s; [generation] compile_seconds allows it more."
                raise _TimeIsUp(f"The schema was not compiled within {limit}")
            except BaseException:
                child.kill()
                raise


def _result(status: int, data: bytes, said: bytes) -> bytes:
    if status == 0:
        return data
    if status < 0:
        reason = signal.Signals(-status).name  # SIGABRT is how it ends when it asks for more memory than it may have
        raise GrammarError(f"The schema could not be compiled: the process was ended by {reason}.")
    lines = said.decode("utf-8", "replace").strip().splitlines()
    raise GrammarError(lines[-1] if lines else "The schema could not be compiled.")


def _read(kept: Path) -> bytes | None:
    try:
        content = kept.read_bytes()
    except OSError:
        return None
    digest, data = content[:_DIGEST], content[_DIGEST:]
    return data if hashlib.sha256(data).digest() == digest else None


def _keep(kept: Path, data: bytes) -> None:
    """Put the grammar into the cache in one step. A cache that cannot be written costs time, not the run."""
    if len(data) > _MOST_KEPT:
        return
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as file:
            file.write(hashlib.sha256(data).digest() + data)
        os.replace(file.name, kept)
    except OSError:
        return
