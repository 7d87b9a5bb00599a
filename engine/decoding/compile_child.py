"""The child process of compiling.py: a pickled order on stdin, a grammar's bytes on stdout, a reason on stderr."""

from __future__ import annotations

import pickle
import resource
import sys

from engine.decoding.grammar import GrammarError
from engine.decoding.outlines_grammar import build_grammar

_MEMORY_SHARE = 0.5


def main() -> None:
    """Compile one schema and end."""
    _limit_memory()
    schema, vocabulary, stop_ids = pickle.load(sys.stdin.buffer)  # from the parent process, nobody else
    try:
        grammar = build_grammar(schema, vocabulary, stop_ids)
    except GrammarError as error:
        sys.exit(str(error))
    sys.stdout.buffer.write(grammar.to_bytes())


def _limit_memory() -> None:
    """Half of the machine: an index may ask for any amount, and the model has to live beside it."""
    import psutil

    limit = int(_MEMORY_SHARE * psutil.virtual_memory().total)
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


main()
