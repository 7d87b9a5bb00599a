"""The child process of compiling.py: a pickled task on stdin, the result on stdout, a reason for failure on stderr."""

from __future__ import annotations

import pickle
import resource
import sys

from engine.backends import GrammarError
from engine.grammars.llguidance_grammar import LlguidanceGrammar, Tokens
from engine.grammars.outlines_grammar import build_grammar

_MEMORY_SHARE = 0.5
_STOP = 256  # after the 256 single bytes, which are all the tokens that a trial with llguidance needs


def main() -> None:
    """Compile one schema and exit. Writes the grammar as bytes, or just a word where it has no such form."""
    _limit_memory()
    backend, schema, vocabulary, stop_ids = pickle.load(sys.stdin.buffer)  # from the parent process only
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
    """To half of the machine: an index may ask for any amount, and the model has to stay in memory too."""
    import psutil

    limit = int(_MEMORY_SHARE * psutil.virtual_memory().total)
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


main()
