"""Variations of the order and number of clauses."""

from __future__ import annotations

import re

from engine.variations.draws import Draws
from engine.variations.facts import Facts
from engine.variations.values import is_number

_SAME_SPEAKER = re.compile(
    r"(?P<first>(?:I am|I'm|My) [^.,;:!?]+?) and (?P<second>(?:I am|I'm|my) [^.,;:!?]+)(?P<end>[.!])"
)
_VERB = r"(?:is|comes|has|lives|plays|teaches|works)"
_SAME_SUBJECT = re.compile(
    rf"(?P<subject>[^.,;:!?]+?) (?P<first>{_VERB} [^.,;:!?]+?) and (?P<second>{_VERB} [^.,;:!?]+)(?P<end>[.!])"
)
_BACK = re.compile(r"\b(?:also|he|her|his|it|its|she|so|that|their|then|therefore|they|this|too)\b", re.IGNORECASE)
_LABEL_LINE = re.compile(r"(?P<label>[^\W\d][^\W\d /-]*(?:[ /-][^\W\d /-]+){0,3})\s*:\s*(?P<value>\S.*[^.!?\s])")


def reordered(facts: Facts, draws: Draws) -> str | None:
    """Two clauses of one subject swapped, or the lines of a form in another order.

    Other clauses depend on each other ("he", "no, sorry", "today") in ways that a rule cannot detect.
    """
    text = facts.text
    if facts.is_code:
        return None
    if text.count(" and ") == 1 and not _BACK.search(text):
        if match := _SAME_SPEAKER.fullmatch(text):
            first, second = match["first"], match["second"]
            first = first if first.startswith("I") else first[0].lower() + first[1:]
            return f"{second[0].upper()}{second[1:]} and {first}{match['end']}"
        if match := _SAME_SUBJECT.fullmatch(text):
            return f"{match['subject']} {match['second']} and {match['first']}{match['end']}"
    return _reordered_form(facts, draws)


def _reordered_form(facts: Facts, draws: Draws) -> str | None:
    """The lines "label: value", which must be consecutive, shuffled; a heading before them stays first."""
    if any(isinstance(part, list) for part in _parts(facts.expected)):
        return None  # the order of a list comes from the order of the lines
    lines = facts.text.split("\n")
    start = next((number for number, line in enumerate(lines) if _LABEL_LINE.fullmatch(line)), len(lines))
    form = [_LABEL_LINE.fullmatch(line) for line in lines[start:]]
    labels = [match["label"].casefold() for match in form if match]
    words = [word for label in labels for word in label.split()]
    if start > 1 or len(labels) < 2 or len(labels) != len(form) or len(set(words)) != len(words):
        return None  # of two lines with similar labels one may correct the other
    before = [match[0] for match in form if match]
    after = draws.shuffled(before)
    if after == before:
        after = [*before[1:], before[0]]
    return "\n".join([*lines[:start], *after])


def very_short(facts: Facts, draws: Draws) -> str | None:
    """Only the expected values, which must all be in the input, in as few words as possible."""
    expected = facts.expected
    if facts.language or facts.is_request or not facts.complete or not isinstance(expected, dict) or not expected:
        return None
    if not all(isinstance(part, str) or is_number(part) for part in expected.values()):
        return None
    if any("\n" in part for part in expected.values() if isinstance(part, str)):
        return None
    written = [(key, part if isinstance(part, str) else str(part)) for key, part in expected.items()]
    if len(facts.strings) == 1 and len(written) <= 2 and not re.search(r"[\d,]", facts.strings[0]):
        return ", ".join(part for _, part in written)
    return "; ".join(f"{key}: {part}" for key, part in written)


def _parts(value: object) -> list[object]:
    """The value and everything inside it."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(each for part in inside for each in _parts(part))]
