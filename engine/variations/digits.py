"""Variations of how numbers are written."""

from __future__ import annotations

from engine.variations.draws import Draws
from engine.variations.facts import Facts

_ZEROS = {"Arabic": "٠", "Devanagari": "०", "Bengali": "০", "Thai": "๐", "full width": "０"}


def other_digits(facts: Facts, draws: Draws) -> str | None:
    """Numbers in the digits of another script, if an expected JSON number is in the input in digits.

    All numbers, so that the expected one does not stand out, except those in expected strings, which are copied.
    """
    if facts.is_code or (not facts.complete and any(char.isdigit() for string in facts.strings for char in string)):
        return None
    if all(facts.in_string(*span) for span in facts.number_spans):
        return None
    zero = ord(draws.pick(list(_ZEROS.values())))
    digits = {str(digit): chr(zero + digit) for digit in range(10)}
    return "".join(
        char if char not in digits or facts.in_string(at, at + 1) else digits[char]
        for at, char in enumerate(facts.text)
    )
