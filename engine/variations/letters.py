"""Variations of the letters: their case, and typos."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from engine.variations.draws import Draws
from engine.variations.facts import Facts

_TYPO_SHARE = 0.25
_MOST_TYPOS = 6
_LONG_WORD = re.compile(r"(?<![\w'’])[a-z]{5,}(?![\w'’])")
# Words whose meaning a typo may change or make doubtful.
_KEPT = re.compile(
    "after|before|between|double|eight|eighteen|eighty|eleven|except|fifteen|fifty|first|former|forty|"
    "fourteen|hundred|instead|latter|least|neither|never|nineteen|ninety|nobody|nothing|quarter|rather|"
    "second|seven|seventeen|seventy|sixteen|sixty|third|thirteen|thirty|thousand|three|times|today|tomorrow|"
    "twelve|twenty|twice|under|unless|until|without|wrong|yesterday"
)


def upper_case(facts: Facts, draws: Draws) -> str | None:
    """All letters in upper case, except in protected spans."""
    return _with_case(facts, str.upper)


def lower_case(facts: Facts, draws: Draws) -> str | None:
    """All letters in lower case, except in protected spans."""
    return _with_case(facts, str.lower)


def typos(facts: Facts, draws: Draws) -> str | None:
    """Two adjacent letters swapped inside some words.

    Only if every expected value is in the input: a value that has to be inferred could depend on these words.
    """
    if facts.is_code or not facts.complete:
        return None
    words = [
        match.span()
        for match in _LONG_WORD.finditer(facts.text)
        if not _KEPT.fullmatch(match[0]) and facts.is_free(*match.span()) and any(_swaps(match[0]))
    ]
    number = min(_MOST_TYPOS, max(1, int(len(words) * _TYPO_SHARE)))
    text = facts.text
    for start, end in draws.some(words, number):
        word = text[start:end]
        at = draws.pick(list(_swaps(word)))
        text = f"{text[:start]}{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}{text[end:]}"
    return text


def _swaps(word: str) -> Iterator[int]:
    """The offsets inside a word where swapping adjacent letters changes it; its first and last letter stay."""
    return (at for at in range(1, len(word) - 2) if word[at] != word[at + 1])


def _with_case(facts: Facts, change: Callable[[str], str]) -> str | None:
    if facts.is_code or any("case" in key for key in facts.keys):
        return None
    pieces, at = [], 0
    for start, end in facts.protected:
        pieces += [change(facts.text[at:start]), facts.text[start:end]]
        at = end
    return "".join([*pieces, change(facts.text[at:])])
