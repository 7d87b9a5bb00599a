"""The child process of compiling.py: a pickled order on stdin, what came of it on stdout, a reason on stderr."""

from __future__ import annotations

import pickle
import resource
import sys

from engine.backends import GrammarError
from engine.grammars.llguidance_grammar import LlguidanceGrammar, Tokens
from engine.grammars.outlines_grammar import build_grammar

_MEMORY_SHARE = 0.5
_STOP = 256  # beside the single bytes, which are all that trying out a schema with llguidance needs


def main() -> None:
    """Compile one schema and end. Writes the grammar's bytes, or a word where it has none to write."""
    _limit_memory()
    backend, schema, vocabulary, stop_ids = pickle.load(sys.stdin.buffer)  # from the parent process, nobody else
    try:
        if backend == "outlines_core":
            data = build_grammar(schema, vocabulary, stop_ids).to_bytes()
        else:
            LlguidanceGrammar(schema, Tokens({bytes([byte]): [byte] for byte in range(256)}, [_STOP]))
            data = b"compiled"
    except GrammarError as error:
        sys.exit(str(error))
    sys.stdout.buffer.write(data)


def _limit_memory() -> None:
    """Half of the machine: an index may ask for any amount, and the model has to live beside it."""
    import psutil

    limit = int(_MEMORY_SHARE * psutil.virtual_memory().total)
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


main()
