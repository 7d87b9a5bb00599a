"""What a case's input has of the values that are expected: the spans that no variation may touch."""

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
    """What added text must keep clear of. strings: matches what is expected anywhere in the suite. text: all inputs."""

    strings: re.Pattern[str]
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """An input and where its expected values stand in it.

    strings, numbers: the expected ones, from any depth. keys: the expected keys, casefolded.
    string_spans: where expected strings, or words of them, stand, in any case of letters. number_spans: where expected
    numbers stand in digits. protected: both, all other digits, and what lies between neighbours; sorted and apart.
    complete: every expected value stands in the input as it is expected, so that nothing has to be worked out.
    standing: the ways in which each expected string that stands in the input is written there. readings: its numbers.
    language: the language that is expected, "" where none is.
    """

    text: str
    expected: Any
    strings: tuple[str, ...]
    numbers: tuple[float, ...]
    keys: frozenset[str]
    string_spans: tuple[Span, ...]
    number_spans: tuple[Span, ...]
    protected: tuple[Span, ...]
    complete: bool
    standing: tuple[frozenset[str], ...]
    readings: frozenset[float]
    language: str
    suite: SuiteFacts

    def is_free(self, start: int, end: int) -> bool:
        """Whether the span touches nothing protected."""
        return all(end <= first or start >= last for first, last in self.protected)

    def in_string(self, start: int, end: int) -> bool:
        """Whether the span touches an expected string, or a word of one."""
        return any(start < last and end > first for first, last in self.string_spans)

    def clashes(self, added: str) -> bool:
        """Whether a text to be added holds a string that the suite expects somewhere: it could be taken for it."""
        return bool(self.suite.strings.search(added))

    @property
    def is_code(self) -> bool:
        """Whether letters, spaces and marks may mean more than in prose. Errs on the side of yes."""
        return bool(_CODE.search(self.text))

    @property
    def is_request(self) -> bool:
        """Whether the input asks for something to be done: another instruction in it would be as good as the first."""
        return bool(self.keys & _REQUEST_KEYS)

    @property
    def bars_english(self) -> bool:
        """Whether added English would change what is expected: the language of the input, which is another."""
        return bool(self.language) and self.language.casefold() not in _ENGLISH

    def free_text_at(self, *, end: bool) -> bool:
        """Whether an expected string of several words ends (or begins) the input: text beside it might belong to it.

        In a request ("tell Ana hello") one word is enough.
        """
        for string in self.strings:
            if self.is_request or len(string.split()) >= _FREE_TEXT_WORDS:
                for first, last in find(string, self.text):
                    beside = self.text[last:] if end else self.text[:first]
                    if not any(char.isalnum() for char in beside):
                        return True
        return False

    def kept_by(self, new: str) -> bool:
        """Whether every expected value that stands in the input stands in `new`, which brings no other numbers."""
        new_numbers = readings(new)
        return (
            all(any(way in new for way in ways) for ways in self.standing)
            and all(number in new_numbers for number in self.numbers if number in self.readings)
            and new_numbers <= self.readings
        )


def suite_facts_of(inputs: Iterable[str], expectations: Iterable[Any]) -> SuiteFacts:
    """Gather what all cases of a suite have."""
    leaves = (leaf for expected in expectations for leaf in leaves_of(expected))
    strings = sorted({leaf for leaf in leaves if isinstance(leaf, str) and leaf.strip()})
    return SuiteFacts(re.compile(any_of(strings), re.IGNORECASE), "\n".join(inputs))


def facts_of(text: str, expected: Any, suite: SuiteFacts) -> Facts:
    """Look up what is expected in the input."""
    leaves = list(leaves_of(expected))
    strings = tuple(leaf for leaf in leaves if isinstance(leaf, str) and leaf.strip())
    numbers = tuple(as_float(leaf) for leaf in leaves if is_number(leaf))
    parts = sorted({part for string in strings for part in (string, *string.split())}, key=len, reverse=True)
    string_spans = [match.span() for match in re.finditer(any_of(parts), text, re.IGNORECASE)]
    number_spans = [match.span() for match in NUMBER.finditer(text) if not readings(match[0]).isdisjoint(numbers)]
    standing = [frozenset(text[start:end] for start, end in find(string, text, exactly=True)) for string in strings]
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
        complete=all(standing) and here.issuperset(numbers) and len(strings) + len(numbers) == len(leaves),
        standing=tuple(filter(None, standing)),
        readings=here,
        language=next(languages_of(expected), ""),
        suite=suite,
    )


def _digits(text: str) -> Iterator[Span]:
    """Words with digits in them, each with the short word after it, which may be its unit."""
    for word in _WORD.finditer(text):
        if _DIGIT.search(word[0]):
            unit = _UNIT.match(text, word.end())
            yield word.start(), unit.end() if unit else word.end()


def _merged(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """The spans sorted, made one where they overlap or have only spaces and marks between them."""
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
