"""What the decoder needs of a grammar, whichever library made it.

outlines_grammar.py makes one with outlines_core, llguidance_grammar.py with llguidance; compiling.py chooses.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Literal, Protocol, TypeAlias

from engine.backends import Unenforced

Backend: TypeAlias = Literal["outlines_core", "llguidance"]
State: TypeAlias = Any  # of the grammar's own type: an immutable value, so it can be kept and continued from twice

# One optional blank, or a newline and up to 8 blanks: models pretty-print, and unbounded whitespace runs to the limit.
# Both libraries allow it in every gap, but Outlines has none before the comma of a list without `prefixItems`.
WHITESPACE = r"(\n[ ]{0,8}|[ ]?)"


class Grammar(Protocol):
    """The states of a schema's grammar, and which tokens each of them allows."""

    backend: Backend
    unenforced: tuple[Unenforced, ...]

    def start(self, prefill: str = "") -> State:
        """The state in which decoding starts, after a prefilled beginning of the reply.

        Raises GrammarError if the grammar does not allow a reply that begins like that.
        """

    def advance(self, state: State, token: int) -> State | None:
        """The state after a token, or None where the grammar does not allow it. `state` itself does not change.

        Raises GrammarError where the library gives up on the schema.
        """

    def allowed(self, state: State) -> list[int]:
        """The ids of all tokens allowed in a state, including stop tokens where the reply may end."""

    def mask_key(self, state: State) -> Hashable:
        """States with equal keys allow the same tokens, even if they belong to different grammars."""
