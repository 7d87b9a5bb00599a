"""Finds the line of each key in a TOML document: TOML parsers drop it, and an error message needs it."""

from __future__ import annotations

import re
from typing import TypeAlias

import tomli

KeyPath: TypeAlias = tuple[str | int, ...]

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'  # up to two quotes may stand before the closing three
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
    r"|#[^\n]*"
    r"|[\n\[\]{}=,.]"
    r"""|[^\s\[\]{}=,."'#]+""",
    re.DOTALL,
)


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line (from 1) of every key, table and array element of a TOML document, by its path in the parsed value.

    `text` must have been parsed before: this relies on valid TOML.
    """
    skimmer = _Skimmer(text)
    skimmer.document()
    return skimmer.lines


def nearest_line(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """The line of `path`, or of the innermost table around it that has one; None for the document itself."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


class _Skimmer:
    """Walks the tokens once and keeps track of the current path."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._last: dict[KeyPath, int] = {}  # array of tables -> the index of its last table
        self._tokens: list[tuple[str, int]] = []
        self._at = 0
        line, seen = 1, 0
        for match in _TOKEN.finditer(text):
            line += text.count("\n", seen, match.start())
            seen = match.start()
            if not match[0].startswith("#"):
                self._tokens.append((match[0], line))
        self._tokens.append(("\n", line))

    def document(self) -> None:
        table: KeyPath = ()
        while self._at < len(self._tokens):
            if self._token == "\n":
                self._at += 1
            elif self._token == "[":
                table = self._header()
            else:
                self._assignment(table)

    @property
    def _token(self) -> str:
        return self._tokens[self._at][0]

    def _mark(self, path: KeyPath) -> None:
        self.lines.setdefault(path, self._tokens[self._at][1])

    def _header(self) -> KeyPath:
        brackets = 2 if self._tokens[self._at + 1][0] == "[" else 1
        self._at += brackets
        parts = self._key()
        path: KeyPath = ()
        for number, part in enumerate(parts, 1):
            path += (part,)
            self._mark(path)
            if brackets == 2 and number == len(parts):
                self._last[path] = self._last.get(path, -1) + 1
            if path in self._last:
                path += (self._last[path],)
                self._mark(path)
        self._at += brackets
        return path

    def _key(self) -> list[str]:
        """The parts of a bare, quoted or dotted key."""
        parts = []
        while True:
            token = self._token
            parts.append(next(iter(tomli.loads(f"{token} = 0"))) if token[0] in "\"'" else token)
            self._at += 1
            if self._token != ".":
                return parts
            self._at += 1

    def _assignment(self, table: KeyPath) -> None:
        start = self._at
        parts = self._key()
        after, self._at = self._at, start
        for length in range(1, len(parts) + 1):
            self._mark((*table, *parts[:length]))
        self._at = after + 1  # the equals sign
        self._value((*table, *parts))

    def _value(self, path: KeyPath) -> None:
        if self._token in "[{":
            opening = self._token
            self._at += 1
            self._array(path) if opening == "[" else self._inline_table(path)
            return
        while self._token not in ("\n", ",", "]", "}"):  # a date and its time are two tokens, a float is three
            self._at += 1

    def _array(self, path: KeyPath) -> None:
        index = 0
        while self._token != "]":
            if self._token in "\n,":
                index += self._token == ","
                self._at += 1
            else:
                self._mark((*path, index))
                self._value((*path, index))
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        while self._token != "}":
            if self._token in "\n,":
                self._at += 1
            else:
                self._assignment(path)
        self._at += 1
