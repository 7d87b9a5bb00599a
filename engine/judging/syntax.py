"""Reads a JSON value that may be broken: where it ends, and the class and place of each thing wrong with it.

A pushdown reader of RFC 8259 with an explicit stack, so nesting depth is unlimited. Mistakes that have a class of their
own (single quotes, a trailing comma …) are noted and skipped; at anything else the reader only looks for the closing
bracket. Repetitions in the patterns are possessive (`*+`), so that they do not backtrack on hostile text.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from enum import Enum

from engine.judging.breaks import Break
from engine.judging.verdict import FailureClass
from engine.judging.wording import QUOTED_CHARACTERS, excerpt

_TOKEN = re.compile(
    r"""[ \t\n\r]*+(?:
        ([{}\[\],:])
      | ("(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")
      | (-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)(?![\w.+-])
      | (true|false|null)(?!\w)
    )""",
    re.VERBOSE,
)
_MARK, _STRING, _NUMBER, _LITERAL = 1, 2, 3, 4  # its groups
_SPACE = re.compile(r"[ \t\n\r]*+")
_COLON_AHEAD = re.compile(r"\s*+:")
_LOOSE_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_GOOD_ESCAPES = re.compile(r'(?:[^\\]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_CONTROL = re.compile(r"[\x00-\x1f]")
_ODD_NUMBER = re.compile(r"[+-]?\.?[0-9][\w.+-]*+")
_CONSTANT = re.compile(r"[+-]?(?:NaN|nan|Infinity|Inf|inf)(?!\w)")
_WORD = re.compile(r"[^\W\d][\w$-]*+|\$[\w$-]++")
_CUT_QUOTED = re.compile(r"'[^'\n{}\[\]]*+\Z")
_BEGUN = re.compile(r"-?[0-9]*+\.?[0-9]*+(?:[eE][+-]?[0-9]*+)?\Z")
_SKIPPED = re.compile(r'"(?:[^"\\\n]++|\\.)*+"|[{}\[\]]|\\.')

_PYTHON = {"None": "null", "True": "true", "False": "false"}
_CLOSES = {"}": "{", "]": "["}
_APOSTROPHES = 4  # how many closing quotes are tried for a string like 'O'Brien'


class _Expect(Enum):
    """What may come next; the value is its wording in a sentence."""

    VALUE = "a value"
    FIRST_ITEM = "a value or ]"
    ITEM = "another value"
    FIRST_KEY = "a key in double quotes or }"
    KEY = "another key in double quotes"
    COLON = "a colon"
    NEXT = "a comma or the closing bracket"


_FOR_A_VALUE = (_Expect.VALUE, _Expect.FIRST_ITEM, _Expect.ITEM)
_FOR_A_KEY = (_Expect.FIRST_KEY, _Expect.KEY)


@dataclass(frozen=True, slots=True)
class Scan:
    """What was read from `start` on."""

    start: int
    end: int
    """Exclusive; the end of the text when the value was not closed."""
    closed: bool
    breaks: tuple[Break, ...]
    """The first of each class, in the order of the text; none when the value conforms to RFC 8259."""
    deepest: int
    """The offset of the first bracket at the greatest depth."""
    open_at: int
    """The offset of what was never closed: the innermost bracket, or a string."""


def scan(text: str, start: int) -> Scan:
    """Read one value from `start`, which may be preceded by whitespace. Linear in the length of what is read."""
    return _Reader(text, start).read()


def _past_space(text: str, at: int) -> int:
    """The offset after the whitespace that JSON allows."""
    match = _SPACE.match(text, at)
    return at if match is None else match.end()


class _Reader:
    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._start = _past_space(text, start)
        self._at = self._start
        self._expect = _Expect.VALUE
        self._stack: list[int] = []  # the offsets of the open brackets
        self._comma = 0  # the offset of the last comma
        self._depth = 0
        self._deepest = self._open_at = self._start
        self._breaks: dict[FailureClass, Break] = {}
        self._done: bool | None = None  # True: closed; False: still open at the end of the text
        self._digits = sys.get_int_max_str_digits() or sys.maxsize

    def read(self) -> Scan:
        while self._done is None:
            token = _TOKEN.match(self._text, self._at)
            if token is None:
                self._odd(_past_space(self._text, self._at))
            else:
                group = token.lastindex or 0
                self._take(group, token.start(group), token.end())
        breaks = tuple(sorted(self._breaks.values(), key=lambda found: found.start))
        end = self._at if self._done else len(self._text)
        return Scan(self._start, end, self._done, breaks, self._deepest, self._open_at)

    # A token of JSON

    def _take(self, group: int, start: int, end: int) -> None:
        """Consume a token of JSON, or something close to it that is treated as that kind of token."""
        char = self._text[start] if group == _MARK else ""
        self._at = end
        if char in ("}", "]"):
            self._close(char, start)
        elif self._expect is _Expect.NEXT:
            self._next(group, char, start, end)
        elif self._expect is _Expect.COLON and char == ":":
            self._expect = _Expect.VALUE
        elif self._expect in _FOR_A_KEY and self._is_key(group, start, end):
            self._expect = _Expect.COLON
        elif self._expect in _FOR_A_VALUE and char in ("{", "["):
            self._open(char, start)
        elif self._expect in _FOR_A_VALUE and not char:
            if group == _NUMBER and end - start > self._digits:
                self._count_digits(start, end)
            self._value_ended()
        else:
            self._give_up(start, end)

    def _is_key(self, group: int, start: int, end: int) -> bool:
        if group in (_NUMBER, _LITERAL) and _COLON_AHEAD.match(self._text, end):
            self._note("unquoted_key", start, end, "The key {} has no quotes")
            return True
        return group == _STRING

    def _next(self, group: int, char: str, start: int, end: int) -> None:
        in_object = bool(self._stack) and self._text[self._stack[-1]] == "{"
        if char == ",":
            self._comma = start
            self._expect = _Expect.KEY if in_object else _Expect.ITEM
        elif char == ":" or (in_object and (char or not _COLON_AHEAD.match(self._text, end))):
            self._give_up(start, end)
        else:
            # A value or a key right after a value: continue as if the comma were there.
            self._note("missing_comma", start, end, "A comma is missing before {}")
            self._expect = _Expect.KEY if in_object else _Expect.ITEM
            self._take(group, start, end)

    def _open(self, char: str, start: int) -> None:
        self._stack.append(start)
        if len(self._stack) > self._depth:
            self._depth, self._deepest = len(self._stack), start
        self._expect = _Expect.FIRST_KEY if char == "{" else _Expect.FIRST_ITEM

    def _close(self, char: str, start: int) -> None:
        fits = bool(self._stack) and self._text[self._stack[-1]] == _CLOSES[char]
        if fits and self._expect in (_Expect.KEY, _Expect.ITEM):
            self._note(
                "trailing_comma", self._comma, self._comma + 1, f"A comma with nothing after it before the {char}"
            )
        elif not fits or self._expect not in (_Expect.NEXT, _Expect.FIRST_KEY, _Expect.FIRST_ITEM):
            self._give_up(start, start + 1)
            return
        self._stack.pop()
        self._value_ended()

    def _value_ended(self) -> None:
        self._expect = _Expect.NEXT
        if not self._stack:
            self._done = True

    def _count_digits(self, start: int, end: int) -> None:
        """Note an integer with more digits than Python's limit (4,300 by default), which json.loads refuses."""
        digits = self._text[start:end].removeprefix("-")
        if digits.isdigit() and len(digits) > self._digits:
            limit = f"json.loads reads {self._digits:,} at most"
            self._note("other_syntax", start, end, f"A number of {len(digits):,} digits, where {limit}")

    # Anything else

    def _odd(self, start: int) -> None:
        """Handle what is not a token of JSON at `start`."""
        text = self._text
        if start == len(text):
            self._unclosed(self._stack[-1] if self._stack else start)
        elif text.startswith(("//", "/*", "#"), start):
            self._comment(start)
        elif text[start] == '"':
            self._bad_string(start)
        elif text[start] == "'" and (end := self._single_quoted(start)):
            self._note("single_quotes", start, end, "{} is in single quotes where JSON has double quotes")
            self._take(_STRING, start, end)
        elif (cut := _CUT_QUOTED.match(text, start)) is not None:
            self._note("single_quotes", start, cut.end(), "{} has a single quote where JSON has double quotes")
            self._unclosed(start)
        else:
            self._odd_word(start)

    def _comment(self, start: int) -> None:
        closing = "*/" if self._text.startswith("/*", start) else "\n"
        at = self._text.find(closing, start + 2 if closing == "*/" else start)
        end = len(self._text) if at < 0 else at + 2 if closing == "*/" else at
        self._note("comment", start, end, "A comment, which JSON does not allow: {}")
        self._at = end

    def _bad_string(self, start: int) -> None:
        match = _LOOSE_STRING.match(self._text, start)
        if match is None:
            self._unclosed(start)
            return
        control = _CONTROL.search(self._text, start, match.end())
        if control is not None:
            what = "line break" if control[0] in "\r\n" else f"control character U+{ord(control[0]):04X}"
            self._note("control_char", *control.span(), f"An unescaped {what} inside a string")
        escapes = _GOOD_ESCAPES.match(self._text, start, match.end())
        if escapes is not None and (good := escapes.end()) < match.end():
            self._note("bad_escape", good, good + 2, "{} is not a valid JSON escape")
        self._take(_STRING, start, match.end())

    def _single_quoted(self, start: int) -> int:
        """The end of a string in single quotes, 0 if there is none.

        The closing quote is the first that is followed by a colon, a comma or a bracket: others may be apostrophes in
        the text ('O'Brien'). Only a few are tried, so that text full of apostrophes does not take quadratic time.
        """
        first, at = 0, start
        for _ in range(_APOSTROPHES):
            at = self._text.find("'", at + 1)
            if at < 0:
                break
            if self._text[at - 1] == "\\":
                continue
            after = _past_space(self._text, at + 1)
            if self._text[after : after + 1] in tuple(":,}]"):
                return at + 1
            first = first or at + 1
        return first

    def _odd_word(self, start: int) -> None:
        constant = _CONSTANT.match(self._text, start)
        word = constant or _ODD_NUMBER.match(self._text, start) or _WORD.match(self._text, start)
        if word is None:
            if self._text[start] == "-" and start == len(self._text) - 1:
                self._unclosed(start)
            else:
                self._give_up(start, start + 1)
            return
        end = word.end()
        colon = _COLON_AHEAD.match(self._text, end)
        if end == len(self._text) and self._may_be_cut(word[0]):
            self._unclosed(start)
        elif colon and (self._expect in _FOR_A_KEY or self._expect is _Expect.NEXT):
            self._note("unquoted_key", start, end, "The key {} has no quotes")
            self._take(_STRING, start, end)
        elif self._expect not in _FOR_A_VALUE:
            self._give_up(start, end)
        elif constant:
            self._note("nan_infinity", start, end, "{} is not a JSON number")
            self._take(_LITERAL, start, end)
        elif word[0] in _PYTHON:
            self._note("python_literal", start, end, f"Python's {{}} where JSON has {_PYTHON[word[0]]}")
            self._take(_LITERAL, start, end)
        elif word.re is _ODD_NUMBER:
            self._note("other_syntax", start, end, "{} is not a valid JSON number")
            self._take(_NUMBER, start, end)
        else:
            self._give_up(start, end)

    def _may_be_cut(self, word: str) -> bool:
        """Whether a word at the very end of the text may be the beginning of a literal or a number."""
        literals = ("true", "false", "null", *_PYTHON, "NaN", "Infinity")
        return bool(_BEGUN.match(word)) or any(literal.startswith(word) for literal in literals)

    # Ends

    def _unclosed(self, at: int) -> None:
        self._open_at, self._done = at, False

    def _give_up(self, start: int, end: int) -> None:
        """Note a token after which reading cannot continue, and skip to the bracket that closes the value.

        Only strings and brackets matter from there on, and a string must end on its line: otherwise a stray quote would
        hide every bracket after it.
        """
        sentence = f"Unexpected {{}} where {self._expect.value} should be"
        if self._expect is _Expect.NEXT and self._text[start].isalpha():
            sentence += "; a double quote inside a string needs a backslash"
        self._note("other_syntax", start, end, sentence)
        opened = [self._text[at] for at in self._stack]
        counts = {"{": opened.count("{"), "[": opened.count("[")}
        for match in _SKIPPED.finditer(self._text, start) if opened else ():
            opener = _CLOSES.get(match[0])
            if match[0] in counts:
                opened.append(match[0])
                counts[match[0]] += 1
            elif opener is not None and counts[opener]:  # the counts show without a search whether it closes anything
                while (last := opened.pop()) != opener:  # unclosed brackets inside
                    counts[last] -= 1
                counts[opener] -= 1
                if not opened:
                    self._at, self._done = match.end(), True
                    return
        self._unclosed(self._stack[-1] if self._stack else start)

    def _note(self, failure: FailureClass, start: int, end: int, sentence: str) -> None:
        """Keep the first break of each class. `{}` in the sentence is replaced by the text from `start` to `end`."""
        if failure not in self._breaks:
            quoted = excerpt(self._text[start : min(end, start + QUOTED_CHARACTERS + 1)])  # one more, for the ellipsis
            self._breaks[failure] = Break(failure, start, end, sentence.replace("{}", quoted))
