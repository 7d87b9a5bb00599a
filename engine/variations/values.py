"""Values in texts: the parts of an expected value, and where strings and numbers are in a text."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

Span: TypeAlias = tuple[int, int]

NUMBER = re.compile(r"(?<![A-Za-z0-9_])[-−]?\d+(?:[.,]\d+)*")
"""A number in digits of any script, with its sign, points and commas."""


def leaves_of(value: Any) -> Iterator[Any]:
    """The scalars inside a value. None as the whole value has none, since it means that nothing is expected."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _inner(part)
    elif isinstance(value, list):
        for part in value:
            yield from _inner(part)
    elif value is not None:
        yield value


def _inner(value: Any) -> Iterator[Any]:
    if value is None:
        yield None
    else:
        yield from leaves_of(value)


def keys_of(value: Any) -> Iterator[str]:
    """The keys inside a value, at any depth, casefolded."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield str(key).casefold()
            yield from keys_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from keys_of(part)


def languages_of(value: Any) -> Iterator[str]:
    """The values under keys such as "language"; "?" for one that is not a string."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if "lang" in str(key).casefold() or "locale" in str(key).casefold():
                yield part if isinstance(part, str) else "?"
            yield from languages_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from languages_of(part)


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number: booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_float(number: float) -> float:
    """A JSON number as a float; infinity if it is too large for one."""
    try:
        return float(number)
    except OverflowError:  # an integer of hundreds of digits
        return math.inf


def find(string: str, text: str, *, exactly: bool = False) -> Iterator[Span]:
    """Where a string, which must not be blank, is in a text as whole words, with any white space between them.

    exactly: match the letter case too.
    """
    for match in re.finditer(_pattern(string), text, 0 if exactly else re.IGNORECASE):
        yield match.span()


def any_of(strings: Iterable[str]) -> str:
    """A pattern that matches any of these strings, which must not be blank; earlier ones take precedence."""
    return "|".join(map(_pattern, strings)) or "(?!)"


def _pattern(string: str) -> str:
    words = string.split()
    before = r"(?<![A-Za-z])" if words[0][0].isascii() and words[0][0].isalpha() else ""
    after = r"(?![A-Za-z])" if words[-1][-1].isascii() and words[-1][-1].isalpha() else ""
    return before + r"\s+".join(re.escape(word) for word in words) + after


def readings(text: str) -> frozenset[float]:
    """The numbers in a text, in digits of any script, under every possible reading of points and commas."""
    found: set[float] = set()
    for match in NUMBER.finditer(text):
        token = "".join(_ascii(char) for char in match[0])
        for written in (token.replace(",", ""), token.replace(".", "").replace(",", "."), re.sub("[.,]", "", token)):
            if written.count(".") <= 1:
                found |= {float(written), abs(float(written))}  # in 2020-30 the dash is not a sign
    return frozenset(found)


def _ascii(char: str) -> str:
    if char == "−":
        return "-"
    digit = unicodedata.decimal(char, None)
    return char if digit is None else str(digit)
