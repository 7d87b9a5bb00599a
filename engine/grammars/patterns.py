"""The regular expressions of a schema's `pattern`: predicts from their text how each library reads them.

A schema means expressions of ECMA-262 that match anywhere in the value (JSON Schema 2020-12, 6.3.3); the judge uses
Python's `re`, both grammars use Rust's `regex-syntax`. Where the three read something differently, the grammar enforces
something else than what the reply is judged by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_PIECE = re.compile(
    r"(?P<escape>\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|.))|(?P<group>\(\?:)|(?P<extension>\(\?)|(?P<negated>\[\^)"
    r"|(?P<quantifier>(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??)|(?P<char>.)",
    re.DOTALL,
)
_PUNCTUATION = frozenset(r".-+*?()[]{}^$|/\\")  # escaped, these mean themselves in every dialect
_SAME_EVERYWHERE = frozenset("dwsnrtfv") | _PUNCTUATION
_ASCII = {"\\d": "0-9", "\\w": "A-Za-z0-9_"}


@dataclass(frozen=True, slots=True)
class _Piece:
    kind: str
    text: str
    in_class: bool
    depth: int
    """How many groups it is in."""


def _pieces(pattern: str) -> Iterator[_Piece]:
    depth, in_class = 0, False
    for match in _PIECE.finditer(pattern):
        kind, text = match.lastgroup or "", match[0]
        if in_class and kind not in ("escape", "char"):  # ( * [ and so on are characters in a class
            for char in text:
                yield _Piece("char", char, True, depth)
            continue
        if kind == "char" and text == "]" and in_class:
            in_class = False
            yield _Piece("end", text, False, depth)
            continue
        if kind == "negated" or (kind == "char" and text == "[" and not in_class):
            yield _Piece("negated" if kind == "negated" else "class", text, False, depth)
            in_class = True
            continue
        if not in_class and text == ")":
            depth -= 1
        yield _Piece(kind, text, in_class, depth)
        if not in_class and (text == "(" or kind in ("group", "extension")):
            depth += 1


def read_differently(pattern: str) -> str | None:
    """The part of the pattern that the dialects read differently, or None."""
    before: _Piece | None = None
    negated = False
    for piece in _pieces(pattern):
        if piece.kind in ("class", "negated"):
            negated = piece.kind == "negated"
        if piece.kind == "extension":
            return "a group that begins with (?"
        if piece.kind == "escape" and piece.text[1] not in _SAME_EVERYWHERE and len(piece.text) == 2:
            return f"the escape {piece.text}"
        if piece.kind == "escape" and piece.in_class and negated and piece.text in ("\\d", "\\w", "\\s"):
            return f"{piece.text} in a negated class"
        if piece.kind == "quantifier" and before is not None and before.kind == "quantifier":
            return "two quantifiers in a row"
        if piece.kind == "char" and not piece.in_class and piece.text in "{}":
            return "a brace that is no quantifier"
        if piece.in_class and (
            piece.text == "[" or (before and before.in_class and before.text == piece.text in "&-~")
        ):
            return "an operation on sets of characters"
        if piece.kind == "end" and before is not None and before.kind in ("class", "negated"):
            return "an empty class"
        before = piece
    return None


def breaks_outlines(pattern: str) -> str | None:
    """Why outlines_core cannot be trusted with the pattern, or None.

    It puts the pattern between two quotes as it is, without a leading `^` and a trailing `$`. So the pattern must be
    anchored, must have no alternative outside brackets, and must match no character that JSON escapes.
    """
    if (reason := read_differently(pattern)) is not None:
        return f"{reason} means different things in different dialects"
    pieces = list(_pieces(pattern))
    if len(pieces) < 2 or pieces[0].text != "^" or pieces[-1].text != "$" or pieces[-1].in_class:
        return "the pattern may match anywhere in the value, but Outlines makes it match all of it (write ^…$)"
    inner = pieces[1:-1]
    for index, piece in enumerate(inner):
        if not piece.in_class and piece.kind == "char":
            if piece.text == "|" and piece.depth == 0:
                return "an alternative outside brackets takes the quote with it (write ^(?:…|…)$)"
            if piece.text in "^$":
                return "an anchor inside the pattern never matches"
        if piece.kind == "negated" or (piece.kind == "char" and piece.text == "." and not piece.in_class):
            return f"{'a negated class' if piece.kind == 'negated' else 'the dot'} matches quotes and backslashes"
        if reason := _unescaped(piece, inner, index):
            return reason
    return None


def _unescaped(piece: _Piece, pieces: list[_Piece], index: int) -> str | None:
    """Why the piece would put a character into the reply that JSON requires to be escaped."""
    if (
        piece.kind == "escape"
        and piece.text not in _ASCII
        and (piece.text[1] not in _PUNCTUATION or piece.text == r"\\")
    ):
        return f"{piece.text} stands for a character that JSON escapes, or may"
    if piece.kind == "char" and (piece.text < " " or piece.text in '"\\'):
        return "it matches a character that JSON escapes"
    if piece.in_class and piece.text == "-" and 0 < index < len(pieces) - 1:
        low, high = pieces[index - 1], pieces[index + 1]
        if low.in_class and high.in_class and any(low.text[-1] < char <= high.text[-1] for char in '"\\'):
            return f"the range {low.text}-{high.text} holds a quote or a backslash"
    return None


def with_ascii_classes(pattern: str) -> str:
    """The pattern with `\\d` and `\\w` spelled out: in Rust they match characters that they do not match in Python."""
    return "".join(
        (_ASCII[piece.text] if piece.in_class else f"[{_ASCII[piece.text]}]")
        if piece.kind == "escape" and piece.text in _ASCII
        else piece.text
        for piece in _pieces(pattern)
    )
