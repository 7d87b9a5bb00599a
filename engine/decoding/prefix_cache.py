"""Which prompts are computed in the next pass, so that what they share is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

WORTH = 16
"""A shared beginning is computed apart when it spares the next prompt at least so many tokens."""

Tokens = Sequence[int]


@dataclass(frozen=True, slots=True)
class Ahead:
    """The first `count` waiting prompts go into the next pass; `keep` tokens of the first are kept for those after."""

    count: int
    keep: int


def common(one: Tokens, other: Tokens) -> int:
    """How many tokens two prompts begin with in common."""
    for place, (token, counterpart) in enumerate(zip(one, other, strict=False)):
        if token != counterpart:
            return place
    return min(len(one), len(other))


def known(prefix: Tokens, prompt: Tokens) -> int:
    """How many tokens of a prompt need not be computed. Its last one must be: the reply is chosen from its logits."""
    return min(common(prefix, prompt), len(prompt) - 1)


def look_ahead(prompts: Sequence[Tokens], most: int, prefix: Tokens, budget: int) -> Ahead:
    """Plan a pass over at most `most` of the waiting prompts (in order) and about `budget` tokens, padding included.

    A prompt goes alone when the one behind it shares more with it than what is kept so far (`prefix`), and what they
    share is kept from then on. Otherwise as many go together as the budget holds, up to the next such prompt.
    """
    shared = [common(one, other) for one, other in pairwise(prompts)]
    longest = 0
    for count, prompt in enumerate(prompts[:most]):
        here = known(prefix, prompt)
        opens = count < len(shared) and shared[count] - here >= WORTH
        if count == 0 and opens:
            return Ahead(1, shared[0])
        longest = max(longest, len(prompt) - here)
        if count and (opens or longest * (count + 1) > budget):
            return Ahead(count, 0)
    return Ahead(min(most, len(prompts)), 0)
