"""Breaks of a streaming reply that can no longer become ok: the failure class it looks like, and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

from engine.judging.breaks import Break
from engine.judging.possible import Alternative, JsonType
from engine.judging.verdict import FailureClass
from engine.judging.wording import ValuePath, excerpt, path_name, pointer, type_of


class Expect(Enum):
    """What may come next; the value is its wording in a sentence."""

    VALUE = "a value"
    FIRST_ITEM = "a value or ]"
    FIRST_KEY = "a key in double quotes or }"
    KEY = "another key in double quotes"
    COLON = "a colon"
    NEXT = "a comma or the closing bracket"
    END = "the end"


class Broken(Exception):
    """Carries the break out of the reader."""

    def __init__(
        self, failure: FailureClass, start: int, end: int, sentence: str, path: ValuePath | None = None
    ) -> None:
        super().__init__()
        self.found = Break(failure, start, end, sentence, None if path is None else pointer(path))


def no_value(what: str, start: int, end: int, outermost: bool) -> Broken:
    """Something else stands where a value should be. outermost: at the beginning of the reply."""
    if outermost:
        failure = _WRAPPERS.get(what, "prose_before")
        return Broken(failure, start, end, f"The reply does not begin with JSON but with {excerpt(what)}")
    failure = _FAILURES.get((Expect.VALUE, what), "other_syntax")
    return Broken(failure, start, end, f"Unexpected {excerpt(what)} where {Expect.VALUE.value} should be")


def unexpected(expect: Expect, char: str, here: int, outermost: bool) -> Broken:
    """A character between tokens that cannot begin a token there."""
    if expect is Expect.END:
        if char in "{[":
            return Broken("multiple_values", here, here + 1, "A second JSON value, where one was asked for")
        failure: FailureClass = "code_fence" if char in "`~" else "prose_after"
        return Broken(failure, here, here + 1, "The reply continues after its JSON")
    if expect in (Expect.VALUE, Expect.FIRST_ITEM):
        return no_value(char, here, here + 1, outermost)
    unquoted = expect in (Expect.KEY, Expect.FIRST_KEY) and char.isidentifier()
    failure = _FAILURES.get((expect, char), "unquoted_key" if unquoted else "other_syntax")
    return Broken(failure, here, here + 1, f"Unexpected {excerpt(char)} where {expect.value} should be")


def wrong_type(got: JsonType, here: int, path: ValuePath, allowed: Sequence[Alternative]) -> Broken:
    """The value at `path` begins as a type that the schema does not allow there. allowed: what it does allow."""
    if not allowed:
        return Broken("constraint", here, here + 1, f"Nothing is asked for at {excerpt(pointer(path))}", path)
    objects = all(any(schema.get("type") == "object" for schema in each) for each in allowed)
    failure: FailureClass = "not_object" if objects and not path else "wrong_type"
    sentence = f"{path_name(path)} begins as {type_of(_EXAMPLES[got])}, which was not asked for"
    return Broken(failure, here, here + 1, sentence, path)


_EXAMPLES: dict[JsonType, Any] = {"object": {}, "array": [], "string": "", "number": 0.5, "boolean": True, "null": None}
_WRAPPERS: dict[str, FailureClass] = {"`": "code_fence", "~": "code_fence", "<": "think_tags"}
_FAILURES: dict[tuple[Expect, str], FailureClass] = {
    (Expect.VALUE, "'"): "single_quotes",
    (Expect.KEY, "'"): "single_quotes",
    (Expect.FIRST_KEY, "'"): "single_quotes",
    (Expect.VALUE, "T"): "python_literal",
    (Expect.VALUE, "F"): "python_literal",
    (Expect.VALUE, "I"): "nan_infinity",
    (Expect.VALUE, "]"): "trailing_comma",
    (Expect.KEY, "}"): "trailing_comma",
    (Expect.NEXT, '"'): "missing_comma",
    **{(expect, char): "comment" for expect in Expect for char in "/#"},
}
