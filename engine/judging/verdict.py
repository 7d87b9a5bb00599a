"""The judge's verdict on a reply."""

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
    """The place of a break in the reply's text."""

    start: int
    """A character offset."""
    end: int
    """Exclusive."""
    line: int
    """From 1."""
    column: int
    """From 1."""
    pointer: str | None = None
    """A JSON Pointer (RFC 6901) into the value, where the value itself is wrong."""


@dataclass(frozen=True, slots=True)
class Also:
    """One more thing wrong with a reply, in addition to the primary one."""

    failure: FailureClass
    where: Where
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Four booleans that are never merged, the failure classes, and the place and a sentence for the primary one."""

    strict: bool
    """The whole reply, apart from surrounding whitespace, is one RFC 8259 value."""
    unwrapped: bool
    """One value is found after removing a fence, prose or think tags around it."""
    schema: bool
    """The (unwrapped) value satisfies the full JSON Schema."""
    values: bool | None
    """The value equals what was expected; None where nothing was expected."""
    classes: tuple[FailureClass, ...]
    """The first is the primary one."""
    where: Where | None
    message: str
    also: tuple[Also, ...] = ()
    """Place and sentence of the other classes, in their order."""
    repairable: bool | None = None
    """Whether json_repair turns the reply into a value that satisfies the schema; never counted as valid.

    None where the reply is strict, or too long or too deeply nested to try.
    """

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the reply."""
        return self.classes == ("ok",)
