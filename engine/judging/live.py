"""Checks a reply while it streams: can what was written so far still become a reply that is ok?

A pushdown automaton of RFC 8259 as json.loads reads it, combined with what the schema is known to allow at each place.
It takes the text in pieces of any size, in time linear in their total length. It never flags the beginning of a reply
that the judge would call ok; what it does not flag may still turn out wrong. The class of a break is what the reply
looks like at that moment: only the verdict on the whole reply counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.judging.breaks import Break
from engine.judging.live_faults import Broken, Expect, no_value, unexpected, wrong_type
from engine.judging.possible import Alternative, JsonType, SchemaPrefixes, json_type
from engine.judging.wording import ValuePath, are_missing, excerpt, is_unknown, path_name, quote

_SPACE = re.compile(r"[ \t\n\r]*+")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*+')
_TYPES: dict[str, JsonType] = {  # by the first character of a value
    "{": "object",
    "[": "array",
    '"': "string",
    **dict.fromkeys("-0123456789", "number"),
    **dict.fromkeys("tf", "boolean"),
    "n": "null",
}
_WORDS = {"t": "true", "f": "false", "n": "null"}
_DIGITS = dict.fromkeys("0123456789")
# The states of a number: for each, the state that a character leads to. A number may end in those of _WHOLE.
_NUMBER: dict[str, dict[str, str]] = {
    "": {"-": "minus", "0": "zero", **dict.fromkeys("123456789", "integer")},
    "minus": {"0": "zero", **dict.fromkeys("123456789", "integer")},
    "zero": {".": "point", "e": "e", "E": "e"},
    "integer": {**dict.fromkeys(_DIGITS, "integer"), ".": "point", "e": "e", "E": "e"},
    "point": dict.fromkeys(_DIGITS, "fraction"),
    "fraction": {**dict.fromkeys(_DIGITS, "fraction"), "e": "e", "E": "e"},
    "e": {"+": "sign", "-": "sign", **dict.fromkeys(_DIGITS, "exponent")},
    "sign": dict.fromkeys(_DIGITS, "exponent"),
    "exponent": dict.fromkeys(_DIGITS, "exponent"),
}
_WHOLE = ("zero", "integer", "fraction", "exponent")
_CLOSING = {
    "object": (("}", Expect.NEXT), ("}", Expect.FIRST_KEY)),
    "array": (("]", Expect.NEXT), ("]", Expect.FIRST_ITEM)),
}


@dataclass(slots=True)
class _Open:
    """A container that is being read, or the reply itself."""

    type: JsonType | None
    """None for the reply itself."""
    alternatives: Sequence[Alternative]
    """The alternatives of the schema that fit everything read so far."""
    start: int
    step: str | int | None = None
    """The key or index of the part that is being read."""
    keys: set[str] = field(default_factory=set)
    """The keys read so far."""


@dataclass(slots=True)
class _Token:
    """A string, a number or a literal that is being read."""

    start: int
    pieces: list[str] = field(default_factory=list)
    is_key: bool = False
    candidates: Sequence[str] | None = None
    """The strings it may become; None for any."""
    escape: str = ""
    """The beginning of an escape that is not complete."""
    state: str = ""
    """Of a number."""

    @property
    def text(self) -> str:
        # Joined once and kept, so that reading it again does not join the same pieces again.
        self.pieces[:] = ["".join(self.pieces)]
        return self.pieces[0]


class LiveChecker:
    """Follows one reply."""

    def __init__(self, possible: SchemaPrefixes, after: str | None = None) -> None:
        """possible: may be shared by all replies to one schema. after: the tag before which nothing is flagged."""
        self.broken = False
        self._possible = possible
        self._stack = [_Open(None, possible.root, 0)]
        self._expect = Expect.VALUE
        self._token = _Token(0)
        self._mode: Callable[[str, int], int] = self._between if after is None else self._thinking
        self._after, self._thoughts = after or "", ""
        self._before = 0  # characters of earlier pieces

    def push(self, text: str) -> Break | None:
        """Read more text. Returns the break once, with the piece after which the reply can no longer become ok."""
        at = 0
        try:
            while at < len(text) and not self.broken:
                at = self._mode(text, at)
        except Broken as stop:
            self.broken = True
            return stop.found
        finally:
            self._before += len(text)
        return None

    def _thinking(self, text: str, at: int) -> int:
        """Skip to the end of the tag, which may arrive in several pieces."""
        thoughts = self._thoughts + text
        found = thoughts.find(self._after)
        if found < 0:
            self._thoughts = thoughts[-len(self._after) :]  # enough to complete a tag that has begun
            return len(text)
        self._mode = self._between
        return found + len(self._after) - len(self._thoughts)

    # Between tokens

    def _between(self, text: str, at: int) -> int:
        space = _SPACE.match(text, at)
        at = at if space is None else space.end()
        if at == len(text):
            return at
        char, here = text[at], self._before + at
        top = self._stack[-1]
        if self._expect in (Expect.VALUE, Expect.FIRST_ITEM) and char in _TYPES:
            return self._begin_value(char, at)
        if self._expect in (Expect.KEY, Expect.FIRST_KEY) and char == '"':
            return self._begin_key(at)
        if self._expect is Expect.COLON and char == ":":
            self._expect = Expect.VALUE
        elif self._expect is Expect.NEXT and char == ",":
            self._expect = Expect.KEY if top.type == "object" else Expect.VALUE
        elif (char, self._expect) in _CLOSING.get(top.type or "", ()):
            self._close(top, here)
        else:
            raise unexpected(self._expect, char, here, len(self._stack) == 1)
        return at + 1

    def _begin_value(self, char: str, at: int) -> int:
        here, top = self._before + at, self._stack[-1]
        if top.type == "array":
            top.step = 0 if not isinstance(top.step, int) else top.step + 1
        begun = _TYPES[char]
        fitting, allowed = self._possible.narrowed(top.alternatives, top.step, begun)
        if not fitting:
            if len(self._stack) == 1 and char in _WORDS:  # more likely the first word of a sentence
                raise no_value(char, here, here + 1, True)
            below = [child for each in top.alternatives for child in self._possible.below(each, top.step)]
            raise wrong_type(begun, here, self._path(), below)
        # Alternatives are only ever removed: a part that one of them forbids rules it out for the whole container.
        top.alternatives = fitting
        self._token = _Token(here)
        if begun in ("object", "array"):
            self._stack.append(_Open(begun, allowed, here))
            self._expect = Expect.FIRST_KEY if begun == "object" else Expect.FIRST_ITEM
            return at + 1
        if begun == "string":
            self._token.candidates = _union([self._possible.strings(each) for each in allowed])
            self._mode = self._string
            return at + 1
        self._mode = self._number if begun == "number" else self._literal
        return at

    def _begin_key(self, at: int) -> int:
        keys = _union([self._possible.keys(each) for each in self._stack[-1].alternatives])
        self._stack[-1].step = None
        self._token = _Token(self._before + at, is_key=True, candidates=keys)
        self._mode = self._string
        return at + 1

    def _close(self, top: _Open, here: int) -> None:
        top.step = None
        if top.type == "object" and all(self._possible.missing(each, top.keys) for each in top.alternatives):
            missing = self._possible.missing(top.alternatives[0], top.keys)
            raise Broken("missing_key", top.start, here + 1, are_missing(missing), self._path())
        self._stack.pop()
        self._value_ended()

    def _value_ended(self) -> None:
        self._mode = self._between
        self._expect = Expect.NEXT if len(self._stack) > 1 else Expect.END

    # In a token

    def _string(self, text: str, at: int) -> int:
        token = self._token
        if token.escape:
            return self._escape(text, at)
        plain = _PLAIN.match(text, at)
        end = at if plain is None else plain.end()
        token.pieces.append(text[at:end])
        if token.candidates is not None:
            self._narrow_candidates()
        if end == len(text):
            return end
        if text[end] == '"':
            self._string_ended(end + 1)
            return end + 1
        if text[end] == "\\":
            # Candidates are compared with raw text, so from the first escape on only the finished string is checked.
            token.escape, token.candidates = "\\", None
            return end + 1
        here = self._before + end
        what = "line break" if text[end] in "\r\n" else f"control character U+{ord(text[end]):04X}"
        raise Broken("control_char", here, here + 1, f"An unescaped {what} inside a string")

    def _escape(self, text: str, at: int) -> int:
        token = self._token
        token.escape += text[at]
        if not re.fullmatch(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{0,4})', token.escape):
            end = self._before + at + 1
            sentence = f"{excerpt(token.escape)} is not a valid JSON escape"
            raise Broken("bad_escape", end - len(token.escape), end, sentence)
        if token.escape[1] != "u" or len(token.escape) == 6:
            token.pieces.append(token.escape)
            token.escape = ""
        return at + 1

    def _narrow_candidates(self) -> None:
        """Drop the candidates that the string, which has no escapes so far, can no longer become.

        It cannot grow beyond the longest candidate, so comparing it again with each piece stays cheap.
        """
        token = self._token
        begun, before = token.text, token.candidates or ()
        token.candidates = [each for each in before if each.startswith(begun)]
        if token.candidates:
            return
        # Mark the shortest beginning that no candidate has: the piece may hold more of the string than that.
        shortest = next(
            (size for size in range(len(begun)) if not any(each.startswith(begun[:size]) for each in before)),
            len(begun),
        )
        end, what, path = token.start + 1 + shortest, excerpt(begun[:shortest]), self._path()
        if token.is_key:
            raise Broken("extra_key", token.start, end, f"No key that is asked for begins with {what}", path)
        sentence = f"{path_name(path)} begins with {what}, as none of the strings asked for does"
        raise Broken("constraint", token.start, end, sentence, path)

    def _string_ended(self, end: int) -> None:
        token, top = self._token, self._stack[-1]
        value = json.loads(f'"{token.text}"')
        if not token.is_key:
            self._scalar_ended(value, self._before + end)
            return
        if value in top.keys:
            sentence = f"The key {quote(value)} comes twice in one object"
            raise Broken("duplicate_key", token.start, self._before + end, sentence, self._path())
        top.keys.add(value)
        top.step = value
        fitting = [each for each in top.alternatives if self._possible.below(each, value)]
        if not fitting:
            raise Broken("extra_key", token.start, self._before + end, is_unknown(value), self._path())
        top.alternatives = fitting
        self._mode, self._expect = self._between, Expect.COLON

    def _number(self, text: str, at: int) -> int:
        token = self._token
        begin = at
        while at < len(text) and (state := _NUMBER[token.state].get(text[at])):
            token.state = state
            at += 1
        token.pieces.append(text[begin:at])
        if at == len(text):
            return at
        if token.state not in _WHOLE or text[at].isalnum() or text[at] in "+-._":
            end = self._before + at + 1
            sentence = f"{excerpt(token.text + text[at])} is not a valid JSON number"
            raise Broken("other_syntax", token.start, end, sentence)
        try:
            value = json.loads(token.text)
        except ValueError:  # Python's limit on the digits of an integer
            sentence = "A number of more digits than json.loads reads"
            raise Broken("other_syntax", token.start, self._before + at, sentence) from None
        self._scalar_ended(value, self._before + at)
        return at

    def _literal(self, text: str, at: int) -> int:
        token = self._token
        token.pieces.append(text[at])
        word = token.text
        whole = _WORDS[word[0]]
        if word == whole:
            self._scalar_ended(json.loads(word), self._before + at + 1)
        elif not whole.startswith(word):
            raise no_value(word, token.start, self._before + at + 1, len(self._stack) == 1)
        return at + 1

    def _scalar_ended(self, value: Any, end: int) -> None:
        """Check a finished scalar with the full validator, under each alternative that is left."""
        top, found = self._stack[-1], json_type(value)
        fitting: list[Alternative] = []
        below: Sequence[Alternative] = ()
        for each in top.alternatives:
            _, below = self._possible.narrowed([each], top.step, found)
            if not all(self._possible.violations(child, value, ()) for child in below):
                fitting.append(each)
        if not fitting:
            path = self._path()
            violation = self._possible.violations(below[0], value, path)[0]
            raise Broken(violation.failure, self._token.start, end, violation.sentence, path)
        top.alternatives = fitting
        self._value_ended()

    def _path(self) -> ValuePath:
        """The path of the value that is being read."""
        return tuple(each.step for each in self._stack if each.step is not None)


def _union(sets: Sequence[frozenset[str] | None]) -> list[str] | None:
    """Everything that any of the sets allows; None when one of them is None and so allows everything."""
    known = [each for each in sets if each is not None]
    return None if len(known) < len(sets) else sorted(frozenset().union(*known))
