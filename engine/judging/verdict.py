"""What the judge says of a reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FailureClass = Literal[
    "ok",
    "empty",
    "refusal",
    "think_tags",
    "prose_before",
    "prose_after",
    "code_fence",
    "multiple_values",
    "truncated",
    "single_quotes",
    "trailing_comma",
    "missing_comma",
    "unquoted_key",
    "comment",
    "python_literal",
    "nan_infinity",
    "bad_escape",
    "control_char",
    "duplicate_key",
    "other_syntax",
    "not_object",
    "missing_key",
    "extra_key",
    "wrong_type",
    "constraint",
    "wrong_value",
]


@dataclass(frozen=True, slots=True)
class Where:
    """The place of a break in the reply's text.

    `start` and `end` are character offsets (end exclusive), `line` and `column` count from 1,
    `pointer` is a JSON Pointer (RFC 6901) into the value when the break is one of shape or value.
    """

    start: int
    end: int
    line: int
    column: int
    pointer: str | None = None


@dataclass(frozen=True, slots=True)
class Also:
    """One more thing wrong with a reply, beside the primary one: its class, its place, and a sentence."""

    failure: FailureClass
    where: Where
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Four booleans that are never merged, the classes (the first is the primary one), where, and a sentence.

    strict: the whole reply, whitespace around it aside, is one RFC 8259 value.
    unwrapped: one value is found after removing a fence, prose or think tags around it.
    schema: the (unwrapped) value satisfies the full JSON Schema.
    values: the value equals what was expected; None where nothing was expected.
    also: place and sentence of the other classes, in their order.
    repairable: whether json_repair makes a value of it that satisfies the schema. It counts for nothing; None where the
    reply is strict, or was too long or too nested to try.
    """

    strict: bool
    unwrapped: bool
    schema: bool
    values: bool | None
    classes: tuple[FailureClass, ...]
    where: Where | None
    message: str
    also: tuple[Also, ...] = ()
    repairable: bool | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the reply."""
        return self.classes == ("ok",)
