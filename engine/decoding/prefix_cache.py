"""Which prompts are computed in the next pass, so that the prefixes they share are computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_MIN_SAVED = 16
"""A common prefix is worth a pass of its own when the next prompt is spared at least this many tokens."""

Tokens = Sequence[int]


@dataclass(frozen=True, slots=True)
class PrefillPlan:
    """The next pass over waiting prompts."""

    count: int
    """How many of the waiting prompts it computes, from the front."""
    keep: int
    """How many tokens of the first become the cached prefix, for the prompts after it; 0 leaves the prefix as it is."""


def common_prefix_length(one: Tokens, other: Tokens) -> int:
    """How many tokens two prompts have in common at their beginning."""
    for place, (token, counterpart) in enumerate(zip(one, other, strict=False)):
        if token != counterpart:
            return place
    return min(len(one), len(other))


def cached_length(prefix: Tokens, prompt: Tokens) -> int:
    """How many tokens of a prompt need not be computed. Its last one must be: its logits select the first token."""
    return min(common_prefix_length(prefix, prompt), len(prompt) - 1)


def plan_prefill(prompts: Sequence[Tokens], most: int, prefix: Tokens, max_tokens: int) -> PrefillPlan:
    """Plan a pass over at most `most` of the waiting prompts (in order) and about `max_tokens` tokens, with padding.

    A prompt goes alone when the next one has more in common with it than with the cached prefix; what the two share
    becomes the new prefix. Otherwise the pass takes as many prompts as fit, up to the next one that should go alone.
    """
    shared = [common_prefix_length(one, other) for one, other in pairwise(prompts)]
    longest = 0
    for count, prompt in enumerate(prompts[:most]):
        cached = cached_length(prefix, prompt)
        opens = count < len(shared) and shared[count] - cached >= _MIN_SAVED
        if count == 0 and opens:
            return PrefillPlan(1, shared[0])
        longest = max(longest, len(prompt) - cached)
        # Padded to the longest, so this is the size of the pass if the prompt joins it.
        if count and (opens or longest * (count + 1) > max_tokens):
            return PrefillPlan(count, 0)
    return PrefillPlan(min(most, len(prompts)), 0)
