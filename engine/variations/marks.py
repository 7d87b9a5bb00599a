"""Variations between the words: white space, emoji, and quotes around names."""

from __future__ import annotations

import re

from engine.variations.draws import Draws
from engine.variations.facts import Facts

_SPACE = re.compile(r"(?<=\S) (?=\S)")
_WORD_GAP = re.compile(r"(?<=[^\W\d_]) (?=[^\W\d_])")
_ANY_QUOTE = re.compile(r"""["'`´‘’‚“”„«»‹›「」『』\\<>{}\[\]=|]""")
_EMOJI = ("✨", "🌿", "🎈", "🧩", "📎", "🪁", "🌈", "🍀")  # without any meaning for the text around them
_MOST_EMOJI = 3
# The last is escaped, like text from a program; a lone backslash might be part of the name.
_QUOTES = (('"', '"'), ("'", "'"), ("“", "”"), ('\\"', '\\"'))


def white_space(facts: Facts, draws: Draws) -> str | None:
    """Some spaces doubled, some after sentences replaced by line breaks."""
    if facts.is_code:
        return None
    gaps = [match.start() for match in _SPACE.finditer(facts.text) if facts.is_free(match.start(), match.end())]
    if not gaps:
        return None
    chosen = [gap for gap in gaps if draws.chance(0.4)] or [draws.pick(gaps)]
    text = facts.text
    for gap in reversed(chosen):
        wider = "\n\n" if text[gap - 1] in ".!?" and draws.chance(0.5) else "  "
        text = f"{text[:gap]}{wider}{text[gap + 1 :]}"
    return text


def emoji(facts: Facts, draws: Draws) -> str | None:
    """An emoji between two words that are not part of an expected value, in up to three places."""
    if facts.is_code:
        return None
    gaps = [
        match.start() for match in _WORD_GAP.finditer(facts.text) if facts.is_free(match.start() - 1, match.end() + 1)
    ]
    text = facts.text
    for gap in reversed(draws.some(gaps, _MOST_EMOJI)):
        text = f"{text[:gap]} {draws.pick(_EMOJI)} {text[gap + 1 :]}"
    return text


def quotes(facts: Facts, draws: Draws) -> str | None:
    """Quotes around the expected names: plain, typographic, or with backslashes.

    Only if the input has no such marks: otherwise they may be part of a value, or delimit one.
    """
    if facts.is_code or _ANY_QUOTE.search(facts.text):
        return None
    spans = _names(facts)
    opening, closing = draws.pick(_QUOTES)
    text = facts.text
    for start, end in reversed(spans):
        text = f"{text[:start]}{opening}{text[start:end]}{closing}{text[end:]}"
    return text


def _names(facts: Facts) -> list[tuple[int, int]]:
    """Where expected strings are that look like names: they begin with a capital and are not all capitals."""
    names = {
        string
        for string in facts.strings
        if len(string) > 1 and string[0].isalpha() and not string[0].islower() and not string.isupper()
    }
    return [
        (start, end)
        for start, end in facts.string_spans
        if facts.text[start:end] in names
        and not facts.text[start - 1 : start].isalnum()
        and not facts.text[end : end + 1].isalnum()
    ]
