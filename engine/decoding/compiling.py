"""Compiling a schema out of the way: in a child process, with a time limit, and once for all runs.

A small schema takes a tenth of a second, an unlucky one hours and gigabytes; Outlines cannot be interrupted, a process
can. The result is kept in the cache folder under a hash of all that goes into it.
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
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.decoding.builtin import cache_folder
from engine.decoding.grammar import WHITESPACE, Grammar, GrammarError
from engine.decoding.loading import PAUSE, Report
from engine.decoding.outlines_grammar import OutlinesGrammar
from engine.events import GrammarKind, Loading

_CHILD = [sys.executable, "-P", "-m", "engine.decoding.compile_child"]
_RECIPE = 1  # to be raised when the same schema is compiled to something else
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
    """The grammar of a schema, from the cache or compiled now; see `outlines_grammar.build_grammar` for the arguments.

    Raises GrammarError when Outlines cannot express the schema, or not within `seconds`.
    """
    report(Loading("compiling the schema"))
    kept = cache_folder() / "grammars" / _key(schema, vocabulary, stop_ids)
    grammar = _read(kept)
    if grammar is None:
        data = _compile(pickle.dumps((dict(schema), dict(vocabulary), tuple(stop_ids))), seconds, report)
        grammar = OutlinesGrammar.from_bytes(data)
        _keep(kept, data)
    return grammar


def _key(schema: Mapping[str, Any], vocabulary: Mapping[bytes, Sequence[int]], stop_ids: Sequence[int]) -> str:
    digest = hashlib.sha256()
    # The order of keys stays as it is: the grammar asks for the properties in the order of the schema.
    recipe = [_RECIPE, version("outlines_core"), WHITESPACE, schema, list(stop_ids)]
    digest.update(json.dumps(recipe).encode())
    for text, ids in sorted(vocabulary.items()):
        digest.update(struct.pack(f"<I{len(text)}s{len(ids)}Q", len(text), text, *ids))
    return digest.hexdigest()


def _compile(order: bytes, seconds: float, report: Report) -> bytes:
    """What the child process makes of the order. It is killed when the time is over, or when `report` raises."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as given:
        # A file, not a pipe: `communicate` that ran into its timeout does not go on writing to the child's stdin.
        given.write(order)
        given.seek(0)
        with subprocess.Popen(_CHILD, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            try:
                while (elapsed := time.monotonic() - started) < seconds:
                    try:
                        data, said = child.communicate(timeout=PAUSE)
                    except subprocess.TimeoutExpired:
                        report(Loading("compiling the schema", int(elapsed), None, "s"))
                    else:
                        return _result(child.returncode, data, said)
                raise GrammarError(
                    f"The schema was not compiled within {seconds:g} s; [generation] compile_seconds allows it more."
                )
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


def _read(kept: Path) -> OutlinesGrammar | None:
    try:
        content = kept.read_bytes()
        digest, data = content[:_DIGEST], content[_DIGEST:]
        return OutlinesGrammar.from_bytes(data) if hashlib.sha256(data).digest() == digest else None
    except (OSError, ValueError, struct.error):
        return None


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
