"""A line that is named is the right one."""

from __future__ import annotations

import json
from typing import Any

import tomli
from hypothesis import given
from hypothesis import strategies as st

from engine.suites.toml_lines import KeyPath, key_lines, nearest_line

STRINGS = ["plain", "[[z]]", "a = 1 # no comment", '"', "'", '""" x', "''' y", "\\", "a\nb = 2\n[c]\n", "{", "], [", ""]


def paths_of(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path} - {()} | {below for key, part in parts for below in paths_of(part, (*path, key))}


def test_every_way_of_writing_a_key() -> None:
    text = """\
# [comment]
title = "a = 1 # [x]"
a.b."c.d" = [ # comment ]
  1.5,
  { x = 1, "y]" = [ 2 ] }, [
  3 ]
]
when = 1979-05-27 07:32:00
[t]
text = \"\"\"
[[no]]
no = "\"\"\"\"
raw = '''
no = 'x' # no '''''
after = 1
[[t.list]]
[t.list.sub]
k = 1
[[t.list]]
k = 2
[ "quo\\u0074ed" . x ]
"""
    lines = key_lines(text)
    assert set(lines) == paths_of(tomli.loads(text))
    assert {path: line for path, line in lines.items() if path[-1] in ("title", "c.d", "y]", "when", "after")} == {
        ("title",): 2,
        ("a", "b", "c.d"): 3,
        ("a", "b", "c.d", 1, "y]"): 5,
        ("when",): 8,
        ("t", "after"): 15,
    }
    assert (lines["a", "b", "c.d", 0], lines["a", "b", "c.d", 2], lines["a", "b", "c.d", 2, 0]) == (4, 5, 6)
    assert (lines["t", "list", 0, "sub", "k"], lines["t", "list", 1], lines["t", "list", 1, "k"]) == (18, 19, 20)
    assert lines["quoted", "x"] == 21


def test_the_nearest_line() -> None:
    lines = key_lines("[[case]]\nid = 1\n[[case]]\nid = 2\n")
    assert nearest_line(lines, ("case", 1, "id")) == 4
    assert nearest_line(lines, ("case", 1, "input")) == 3
    assert nearest_line(lines, ("case", 7)) == 1
    assert nearest_line(lines, ("name",)) is None
    assert nearest_line(lines, ()) is None


class Writer:
    """Writes a document at random, and notes where it put each key."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.text = ""
        self.lines: dict[KeyPath, int] = {}
        self.keys = 0

    def chance(self) -> bool:
        return self.data.draw(st.booleans())

    def mark(self, path: KeyPath) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def new_key(self) -> str:
        self.keys += 1
        return f"k{self.keys}" + (" [#]='" if self.chance() else "")

    def write_key(self, key: str) -> None:
        self.text += json.dumps(key) if "'" in key or self.chance() else key

    def value(self, path: KeyPath, depth: int) -> None:
        kind = self.data.draw(st.integers(0, 6 if depth else 4))
        text = self.data.draw(st.sampled_from(STRINGS))
        if kind == 0:
            self.text += self.data.draw(st.sampled_from(["1", "-1.5e3", "true", "2024-01-01 10:00:00Z", "10:00:00.5"]))
        elif kind == 1 and "'''" not in text and not text.endswith("'"):
            self.text += f"'''{text}'''"
        elif kind == 2:
            self.text += '"""' + text.replace("\\", "\\\\").replace('"""', '""\\"') + '"""'
        elif kind == 3 and "'" not in text and "\n" not in text:
            self.text += f"'{text}'"
        elif kind <= 4:
            self.text += json.dumps(text)
        elif kind == 5:
            self.text += "["
            for index in range(self.data.draw(st.integers(0, 3))):
                self.text += "," * bool(index) + self.data.draw(st.sampled_from(["", " ", "\n", " # ]\n  "]))
                self.mark((*path, index))
                self.value((*path, index), depth - 1)
            self.text += self.data.draw(st.sampled_from(["", "\n"])) + "]"
        else:
            self.text += "{"
            for index in range(self.data.draw(st.integers(0, 3))):
                self.text += ", " * bool(index)
                self.assignment(path, depth - 1)
            self.text += "}"

    def assignment(self, path: KeyPath, depth: int) -> None:
        for more in [True] * self.chance() + [False]:
            key = self.new_key()
            path = (*path, key)
            self.mark(path)
            self.write_key(key)
            self.text += " . " if more else " = "
        self.value(path, depth)

    def document(self) -> None:
        tables: list[KeyPath] = [()]
        counts: dict[KeyPath, int] = {}
        for _ in range(self.data.draw(st.integers(1, 6))):
            parent = self.data.draw(st.sampled_from(tables))
            if counts and self.chance():
                path = self.data.draw(st.sampled_from(list(counts)))
            else:
                path = (*parent, self.new_key())
                if self.chance():
                    counts[path] = 0
            brackets = 2 if path in counts else 1
            # a header names the tables around it without their numbers and so means the last of each
            if any(
                path[: end + 1] != path and isinstance(path[end], int) and path[end] != counts[path[:end]] - 1
                for end in range(len(path))
            ):
                continue
            self.mark(path)
            self.text += "[" * brackets
            names = [part for part in path if isinstance(part, str)]
            for number, name in enumerate(names):
                self.text += " . " * bool(number)
                self.write_key(name)
            self.text += "]" * brackets + "\n"
            if brackets == 2:
                path = (*path, counts[path])
                counts[path[:-1]] += 1
                self.lines[path] = self.text.count("\n")
            tables.append(path)
            for _ in range(self.data.draw(st.integers(0, 3))):
                self.assignment(path, 2)
                self.text += self.data.draw(st.sampled_from(["\n", " # a = [\n", "\r\n\n"]))


@given(st.data())
def test_every_key_of_any_document_is_found_on_its_line(data: st.DataObject) -> None:
    writer = Writer(data)
    writer.document()
    assert set(writer.lines) == paths_of(tomli.loads(writer.text))
    assert key_lines(writer.text) == writer.lines
