"""Finds the one JSON value of a reply among what models put around it: thinking, prose, Markdown code fences.

In this order:
1. If the whole reply is a value, nothing else is checked.
2. Thinking (`<think>…</think>` at the beginning, or everything before a bare `</think>`) is skipped.
3. Objects and arrays are searched for, outermost first. A number or a word in prose is not a value, and a bracket that
   nothing like JSON follows is prose. Something that begins like JSON and is broken is an attempt: it is skipped as a
   whole, so that no part of it is mistaken for the value.
4. One value: it is unwrapped and what surrounds it is reported; broken attempts around it count as prose. Two values:
   which one was meant cannot be known, so neither is used.
5. No value: the first attempt is reported as broken; at the token limit the last one, if it was still open.
6. No attempt either: a lone scalar in a fence or after the thinking; else a refusal, or no JSON (`other_syntax`).

`truncated` requires the finish reason "length" and an answer that was begun (or thinking that was not closed) but not
completed. A complete value followed by prose up to the limit is `prose_after`, and prose without JSON is no JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from engine.judging.breaks import Break
from engine.judging.strict_json import decode
from engine.judging.syntax import Scan, scan
from engine.judging.wording import excerpt
from engine.judging.wrappers import Thinking, find_thinking, find_wrapping, stripped

# What makes a bracket the beginning of an attempt. Every object and array of RFC 8259 matches.
_OPENING = re.compile(
    r"""\{\s*+(?:["'}{“]|//|/\*|\#|[^\W\d][\w$-]*+\s*+:|-?[0-9][\w.+-]*+\s*+[:]|\Z)
      | \[\s*+(?:["'\]\[{]|//|/\*|\Z
          |(?:-?[0-9][\w.+-]*+|true|false|null|None|True|False|NaN|-?Infinity)\s*+(?:[,\]]|\Z))
    """,
    re.VERBOSE,
)
_FENCED = re.compile(r"^[ \t]*+(`{3,}+|~{3,}+)[^\n`]*+\n", re.MULTILINE)
_REFUSAL = re.compile(
    r"""\b(?:I|we)\s?(?:['’]m|['’]re|\ am|\ are)?\ (?:sorry,?\ but\ I\ )?
        (?:cannot|can['’]t|can\ not|could\ not|couldn['’]t|unable\ to|not\ able\ to|won['’]t|will\ not|must\ decline)
        \ ?(?:to\ )?(?:\w+\ )?(?:help|assist|provide|do|fulfill?|comply|answer|extract|generate|create|produce|give|
        complete|process|determine|share|perform|respond|write|offer|find|identify|support)\b
      | \bI\ (?:must|have\ to)\ (?:decline|refuse)\b | \bI\ (?:decline|refuse)\ to\b""",
    re.VERBOSE | re.IGNORECASE,
)
_REFUSED_WITHIN = 200  # characters: a refusal comes at the beginning


@dataclass(frozen=True, slots=True)
class LocatedValue:
    """A value and its place in the reply."""

    value: Any
    start: int
    end: int
    repeated: bool
    """Whether an object in it has a duplicate key."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a reply yields before any schema is checked."""

    strict: bool
    found: LocatedValue | None
    """None when there is not exactly one value."""
    breaks: tuple[Break, ...]


@dataclass(frozen=True, slots=True)
class _Search:
    """The values of a reply, and its first and last broken attempt."""

    values: tuple[LocatedValue, ...]
    """At most two: more would change nothing."""
    first: Scan | None
    last: Scan | None


def read(text: str, finish: Literal["stop", "length"]) -> Reading:
    """Find the value of a reply. Linear in the reply's length."""
    whole = decode(text)
    if whole is not None:
        return Reading(True, LocatedValue(whole.value, *stripped(text, 0, len(text)), whole.repeated), ())
    if not text.strip():
        return Reading(False, None, (Break("empty", 0, len(text), "The reply is empty"),))
    thinking = find_thinking(text)
    if thinking.open and finish == "length":
        cut = _cut(text, "The reply was still thinking when it reached the token limit")
        return Reading(False, None, (cut, *thinking.breaks))
    search = _search(text, thinking.end)
    if len(search.values) > 1:
        return _several(text, thinking, *search.values)
    found = search.values[0] if search.values else _lone_scalar(text, thinking.end) if search.first is None else None
    if found is not None:
        wrapping = find_wrapping(text, thinking.end, found.start, found.end)
        return Reading(False, found, (*thinking.breaks, *wrapping))
    return Reading(False, None, tuple(_nothing_found(text, thinking, search, finish)))


def _search(text: str, start: int) -> _Search:
    """Linear: every attempt is read once, and the search continues after it."""
    values: list[LocatedValue] = []
    first: Scan | None = None
    last: Scan | None = None
    opening = _OPENING.search(text, start)
    while opening is not None and len(values) < 2:
        attempt = _checked(text, scan(text, opening.start()))
        if isinstance(attempt, LocatedValue):
            values.append(attempt)
        else:
            first, last = first or attempt, attempt
        opening = _OPENING.search(text, attempt.end)
    return _Search(tuple(values), first, last)


def _checked(text: str, attempt: Scan) -> LocatedValue | Scan:
    """The value of a flawless attempt, else the attempt. json.loads decides in the end: it has a limit of depth."""
    if not attempt.closed or attempt.breaks:
        return attempt
    decoded = decode(text[attempt.start : attempt.end])
    if decoded is not None:
        return LocatedValue(decoded.value, attempt.start, attempt.end, decoded.repeated)
    deep = Break("other_syntax", attempt.deepest, attempt.deepest + 1, "Nested more deeply than json.loads can read")
    return Scan(attempt.start, attempt.end, True, (deep,), attempt.deepest, attempt.open_at)


def _lone_scalar(text: str, start: int) -> LocatedValue | None:
    """The scalar that is all of the answer after the thinking, or all of the first fence."""
    for begin, end in _lone_places(text, start):
        decoded = decode(text[begin:end])
        if decoded is not None:
            return LocatedValue(decoded.value, begin, end, decoded.repeated)
    return None


def _lone_places(text: str, start: int) -> list[tuple[int, int]]:
    places = [stripped(text, start, len(text))]
    fence = _FENCED.search(text, start)
    if fence is not None:
        closing = text.find(fence[1], fence.end())
        places.append(stripped(text, fence.end(), len(text) if closing < 0 else closing))
    return places


def _several(text: str, thinking: Thinking, first: LocatedValue, second: LocatedValue) -> Reading:
    sentence = "A second JSON value, where one was asked for"
    # What follows the first value is reported as the second value, so only what comes before the first is added.
    before = [found for found in find_wrapping(text, thinking.end, first.start, first.end) if found.start < first.start]
    surplus = Break("multiple_values", second.start, second.end, sentence)
    return Reading(False, None, (surplus, *thinking.breaks, *before))


def _nothing_found(text: str, thinking: Thinking, search: _Search, finish: Literal["stop", "length"]) -> list[Break]:
    attempt, last = search.first, search.last
    if last is not None and not last.closed and finish == "length":
        attempt = last
    attempt = attempt or _broken_scalar(text, thinking.end, finish)
    if attempt is None:
        return _no_json(text, thinking, finish)
    breaks = [*thinking.breaks, *find_wrapping(text, thinking.end, attempt.start, attempt.end), *attempt.breaks]
    if attempt.closed:
        return breaks
    if finish == "length":
        return [_cut(text, "The reply ends in the middle of its JSON: it reached the token limit"), *breaks]
    if all(found.failure != "other_syntax" for found in breaks):
        breaks.append(_never_closed(text, attempt))
    return breaks


def _never_closed(text: str, attempt: Scan) -> Break:
    """An open string is marked up to the end of its line, an open bracket at the end of the text."""
    at = attempt.open_at
    if text.startswith('"', at):
        line_end = text.find("\n", at)
        end = len(text) if line_end < 0 else line_end
        return Break("other_syntax", at, end, f"A string that is never closed: {excerpt(text[at:end])}")
    missing = {"{": "a closing }", "[": "a closing ]"}.get(text[at : at + 1], "a value")
    return Break("other_syntax", len(text), len(text), f"The reply ends where {missing} should be")


def _broken_scalar(text: str, start: int, finish: Literal["stop", "length"]) -> Scan | None:
    """A lone scalar with something wrong ('text', None, NaN, 01 …), or one that the token limit truncated."""
    for begin, end in _lone_places(text, start):
        attempt = scan(text, begin) if begin < end else None
        if attempt is None or attempt.end != end:
            continue
        if attempt.closed or (not attempt.breaks and finish == "length"):
            return attempt
    return None


def _no_json(text: str, thinking: Thinking, finish: Literal["stop", "length"]) -> list[Break]:
    start, end = stripped(text, thinking.end, len(text))
    if start == end and finish == "length":
        return [_cut(text, "The reply reached the token limit when its thinking had ended"), *thinking.breaks]
    if start == end:
        return [Break("empty", len(text), len(text), "Nothing follows the thinking"), *thinking.breaks]
    refusal = _REFUSAL.search(text, start, min(end, start + _REFUSED_WITHIN))
    if refusal is not None:
        sentence = f'The model refuses: "{excerpt(text[refusal.start() : end])}"'
        return [Break("refusal", start, end, sentence), *thinking.breaks]
    at_limit = " up to the token limit" if finish == "length" else ""
    sentence = f'No JSON in the reply{at_limit}; it begins "{excerpt(text[start:end])}"'
    return [*thinking.breaks, Break("other_syntax", start, end, sentence)]


def _cut(text: str, sentence: str) -> Break:
    return Break("truncated", len(text), len(text), sentence)
