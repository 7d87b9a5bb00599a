"""Finds the parts of a JSON value in its text. Only for text that is valid JSON; not recursive, linear time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from engine.judging.wording import ValuePath

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],]|[^\s"{}\[\],:]++', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Span:
    """The characters from `start` to `end` (exclusive)."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is in the text."""

    value: Span
    key: Span | None
    """Where its key is; None for the whole value and for the items of arrays."""


@dataclass(slots=True)
class _Token:
    """A key, a scalar, or the opening or closing bracket of a container."""

    kind: Literal["key", "scalar", "open", "close"]
    start: int
    end: int
    depth: int
    """How many containers are open around it."""
    step: str | int
    """The key or index of the value that it is or belongs to."""
    key: Span | None = None


@dataclass(slots=True)
class _Open:
    """A container that is being read."""

    is_object: bool
    step: str | int
    name: str = ""
    """The current key of an object."""
    index: int = 0
    """The current index of an array."""
    key: Span | None = None
    """Where the current key is; None between members."""


class _Search:
    """Looks for the value at one path while the tokens are read."""

    def __init__(self, path: ValuePath) -> None:
        self.found: Place | None = None
        self._path = path
        self._opened: _Token | None = None  # the bracket that opens the value at `path`
        self._on_path = 0  # how many of the open containers, from the outermost, lie on the path

    def feed(self, token: _Token) -> None:
        depth = token.depth
        if token.kind == "close":
            self._on_path = min(self._on_path, depth)
            if self._opened is not None and depth == self._opened.depth:
                self.found = Place(Span(self._opened.start, token.end), self._opened.key)
                self._opened = None
        elif token.kind != "key" and depth == self._on_path and (not depth or token.step == self._path[depth - 1]):
            if depth == len(self._path):
                self.found = Place(Span(token.start, token.end), token.key)
                self._opened = token if token.kind == "open" else None
            elif token.kind == "open":
                self._on_path += 1


def locate(text: str, start: int, paths: Iterable[ValuePath]) -> dict[ValuePath, Place]:
    """The places of the values at `paths` in the JSON value that begins at `start`, except those it does not have.

    Of duplicate keys the last one counts, as for json.loads.
    """
    searches = {path: _Search(path) for path in paths}
    for token in _tokens(text, start) if searches else ():
        for search in searches.values():
            search.feed(token)
    return {path: search.found for path, search in searches.items() if search.found is not None}


def duplicate_key(text: str, start: int) -> tuple[Span, ValuePath] | None:
    """The first duplicate key, and the path of its object."""
    keys: list[set[str | int]] = []
    path: list[str | int] = []
    for token in _tokens(text, start):
        if token.kind == "open":
            keys.append(set())
            path.append(token.step)
        elif token.kind == "close":
            keys.pop()
            path.pop()
        elif token.kind == "key":
            if token.step in keys[-1]:
                return Span(token.start, token.end), tuple(path[1:])
            keys[-1].add(token.step)
    return None


def _tokens(text: str, start: int) -> Iterator[_Token]:
    """The tokens of the JSON value that begins at `start`, except commas and colons."""
    stack: list[_Open] = []
    for match in _TOKEN.finditer(text, start):
        char = text[match.start()]
        top = stack[-1] if stack else None
        step: str | int = "" if top is None else top.name if top.is_object else top.index
        if char in "}]":
            step = stack.pop().step
            yield _Token("close", match.start(), match.end(), len(stack), step)
        elif char == ",":
            assert top is not None, "a comma is inside a container"
            top.index, top.key = top.index + 1, None
            continue
        elif top is not None and top.is_object and top.key is None:
            top.name, top.key = json.loads(match[0], strict=False), Span(*match.span())
            yield _Token("key", match.start(), match.end(), len(stack), top.name, top.key)
            continue
        elif char in "{[":
            yield _Token("open", match.start(), match.end(), len(stack), step, top.key if top else None)
            stack.append(_Open(char == "{", step))
        else:
            yield _Token("scalar", match.start(), match.end(), len(stack), step, top.key if top else None)
        if not stack:
            return
