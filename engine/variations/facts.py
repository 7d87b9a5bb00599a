"""Where the expected values are in a case's input: the spans that no variation may change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from engine.variations.values import (
    NUMBER,
    Span,
    any_of,
    as_float,
    find,
    is_number,
    keys_of,
    languages_of,
    leaves_of,
    readings,
)

_WORD = re.compile(r"[-−+]?\w+")
_UNIT = re.compile(r"[^\S\n]?\S{1,6}(?!\S)")
_DIGIT = re.compile(r"\d")
_CODE = re.compile(
    r"```|=>|==|::|\w\(\)|[;{]\s*$|^\s*(?:def|class|return|import|func|fn|public|private|const|let|var)\b.*[(:=;{]"
    r"|^\| |^@@ |^\+\+\+ |^--- \w",
    re.MULTILINE,
)
_FREE_TEXT_WORDS = 3
_REQUEST_KEYS = frozenset({"action", "arguments", "call", "command", "function", "intent", "tool"})
_ENGLISH = frozenset({"en", "en-gb", "en-us", "eng", "english"})


@dataclass(frozen=True, slots=True)
class SuiteFacts:
    """What added text must avoid."""

    strings: re.Pattern[str]
    """Matches any string that is expected anywhere in the suite."""
    text: str
    """All inputs."""


@dataclass(frozen=True, slots=True)
class Facts:
    """An input and where its expected values are in it."""

    text: str
    expected: Any
    strings: tuple[str, ...]
    """The expected strings, at any depth."""
    numbers: tuple[float, ...]
    """The expected numbers, at any depth."""
    keys: frozenset[str]
    """The expected keys, casefolded."""
    string_spans: tuple[Span, ...]
    """Where expected strings, or words of them, are, in any letter case."""
    number_spans: tuple[Span, ...]
    """Where expected numbers are, in digits."""
    protected: tuple[Span, ...]
    """Both, all other digits, and what is between adjacent ones; sorted and disjoint."""
    complete: bool
    """Whether every expected value is in the input as expected, so that none has to be inferred."""
    spellings: tuple[frozenset[str], ...]
    """For each expected string that is in the input, how it is written there (its white space may vary)."""
    readings: frozenset[float]
    """The numbers in the input."""
    language: str
    """The expected language; "" if none is expected."""
    suite: SuiteFacts

    def is_free(self, start: int, end: int) -> bool:
        """Whether the span overlaps no protected span."""
        return all(end <= first or start >= last for first, last in self.protected)

    def in_string(self, start: int, end: int) -> bool:
        """Whether the span overlaps an expected string, or a word of one."""
        return any(start < last and end > first for first, last in self.string_spans)

    def clashes(self, added: str) -> bool:
        """Whether a text to be added contains a string that the suite expects, and so could be mistaken for it."""
        return bool(self.suite.strings.search(added))

    @property
    def is_code(self) -> bool:
        """Whether letters, spaces and punctuation may mean more than in prose. Errs on the side of True."""
        return bool(_CODE.search(self.text))

    @property
    def is_request(self) -> bool:
        """Whether the input asks for an action: an instruction added to it would be as valid as the original."""
        return bool(self.keys & _REQUEST_KEYS)

    @property
    def bars_english(self) -> bool:
        """Whether added English would change the expected value: the input's language, if that is not English."""
        return bool(self.language) and self.language.casefold() not in _ENGLISH

    def free_text_at(self, *, end: bool) -> bool:
        """Whether an expected string of several words ends (or begins) the input: added text might belong to it.

        In a request ("tell Ana hello") one word is enough.
        """
        for string in self.strings:
            if self.is_request or len(string.split()) >= _FREE_TEXT_WORDS:
                for first, last in find(string, self.text):
                    outside = self.text[last:] if end else self.text[:first]
                    if not any(char.isalnum() for char in outside):
                        return True
        return False

    def kept_by(self, new: str) -> bool:
        """Whether every expected value that is in the input is also in `new`, and `new` has no additional numbers."""
        new_numbers = readings(new)
        return (
            all(any(way in new for way in ways) for ways in self.spellings)
            and all(number in new_numbers for number in self.numbers if number in self.readings)
            and new_numbers <= self.readings
        )


def suite_facts_of(inputs: Iterable[str], expectations: Iterable[Any]) -> SuiteFacts:
    """Collect the facts of all cases of a suite."""
    leaves = (leaf for expected in expectations for leaf in leaves_of(expected))
    strings = sorted({leaf for leaf in leaves if isinstance(leaf, str) and leaf.strip()})
    return SuiteFacts(re.compile(any_of(strings), re.IGNORECASE), "\n".join(inputs))


def facts_of(text: str, expected: Any, suite: SuiteFacts) -> Facts:
    """Find the expected values in the input."""
    leaves = list(leaves_of(expected))
    strings = tuple(leaf for leaf in leaves if isinstance(leaf, str) and leaf.strip())
    numbers = tuple(as_float(leaf) for leaf in leaves if is_number(leaf))
    parts = sorted({part for string in strings for part in (string, *string.split())}, key=len, reverse=True)
    string_spans = [match.span() for match in re.finditer(any_of(parts), text, re.IGNORECASE)]
    number_spans = [match.span() for match in NUMBER.finditer(text) if not readings(match[0]).isdisjoint(numbers)]
    spellings = [frozenset(text[start:end] for start, end in find(string, text, exactly=True)) for string in strings]
    here = readings(text)
    return Facts(
        text=text,
        expected=expected,
        strings=strings,
        numbers=numbers,
        keys=frozenset(keys_of(expected)),
        string_spans=tuple(string_spans),
        number_spans=tuple(number_spans),
        protected=tuple(_merged(text, [*string_spans, *_digits(text)])),
        complete=all(spellings) and here.issuperset(numbers) and len(strings) + len(numbers) == len(leaves),
        spellings=tuple(filter(None, spellings)),
        readings=here,
        language=next(languages_of(expected), ""),
        suite=suite,
    )


def _digits(text: str) -> Iterator[Span]:
    """Words with digits in them, each with the short word after it, which may be a unit."""
    for word in _WORD.finditer(text):
        if _DIGIT.search(word[0]):
            unit = _UNIT.match(text, word.end())
            yield word.start(), unit.end() if unit else word.end()


def _merged(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """The spans sorted, and merged where they overlap or are separated only by spaces and punctuation."""
    current: Span | None = None
    for start, end in sorted(spans):
        if current is None:
            current = start, end
        elif not any(char.isalnum() for char in text[current[1] : start]):
            current = current[0], max(current[1], end)
        else:
            yield current
            current = start, end
    if current is not None:
        yield current
