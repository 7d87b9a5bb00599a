"""Proves that a finite automaton accepts nothing but JSON, which decides whether a grammar of outlines_core is used.

A regular expression has no stack, but if every text that it matches is JSON, each of its states has a fixed nesting: of
two ways into a state, one with `[` open and one with `{`, the same text could not close both. So a walk over the
automaton that tracks the state of a JSON parser ends, and meets an error exactly where some text is not JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Mode: TypeAlias = str  # what the parser has just read; see _step
Config: TypeAlias = tuple[Mode, str]  # the mode and the brackets that are open

_BLANK = frozenset(b" \t\n\r")
_DIGITS = frozenset(b"0123456789")
_HEX = _DIGITS | frozenset(b"abcdefABCDEF")
_ENDED = ("done", "zero", "digits", "fraction", "exponent")  # a value may end here
_MAX_NESTING = 10_000


def not_json(transitions: Mapping[int, Mapping[int, int]], start: int, end: int) -> bytes | None:
    """The beginning of a text that the automaton allows and JSON does not; None if every text it accepts is JSON.

    `transitions` maps a state and a byte to a state, `end` is the byte that ends a text. All states lead to an end, and
    the texts are UTF-8.
    """
    brackets: dict[int, str] = {start: ""}
    arrived: dict[tuple[int, Config], tuple[tuple[int, Config], int] | None] = {(start, ("value", "")): None}
    waiting = list(arrived)
    while waiting:
        here = waiting.pop()
        state, config = here
        for byte, following in transitions.get(state, {}).items():
            if byte == end:
                if config[0] in _ENDED and not config[1]:
                    continue
                return _text(arrived, here)
            after = step(config, byte)
            if after is None or brackets.setdefault(following, after[1]) != after[1] or len(after[1]) > _MAX_NESTING:
                return _text(arrived, here) + bytes([byte])
            if (following, after) not in arrived:
                arrived[following, after] = (here, byte)
                waiting.append((following, after))
    return None


def _text(
    arrived: Mapping[tuple[int, Config], tuple[tuple[int, Config], int] | None], here: tuple[int, Config]
) -> bytes:
    written = bytearray()
    while (came := arrived[here]) is not None:
        here, byte = came
        written.append(byte)
    return bytes(reversed(written))


def step(config: Config, byte: int) -> Config | None:
    """The parser's next state, or None where the byte cannot follow (RFC 8259; bytes above 127 only in strings)."""
    mode, stack = config
    if mode in ("string", "name"):
        return _in_string(mode, stack, byte)
    if mode[0] in "\\u":
        return _in_escape(mode, stack, byte)
    if mode[0] == "=":  # the rest of true, false or null
        if byte != ord(mode[1]):
            return None
        return (mode[0] + mode[2:], stack) if len(mode) > 2 else ("done", stack)
    if (number := _in_number(mode, byte)) is not None:
        return number, stack
    if byte in _BLANK:
        return None if mode in ("minus", "point", "e", "sign") else ("done" if mode in _ENDED else mode, stack)
    if mode in _ENDED:
        return _after_value(stack, byte)
    if mode in ("first name", "next name"):
        if byte == ord("}") and mode == "first name":
            return "done", stack[:-1]
        return ("name", stack) if byte == ord('"') else None
    if mode == "colon":
        return ("value", stack) if byte == ord(":") else None
    if mode == "first item" and byte == ord("]"):
        return "done", stack[:-1]
    return _value(stack, byte) if mode in ("value", "first item") else None


def _in_string(mode: Mode, stack: str, byte: int) -> Config | None:
    if byte == ord('"'):
        return ("done" if mode == "string" else "colon"), stack
    if byte == ord("\\"):
        return "\\" + mode, stack
    return (mode, stack) if byte >= 0x20 else None


def _in_escape(mode: Mode, stack: str, byte: int) -> Config | None:
    if mode[0] == "\\":
        if byte == ord("u"):
            return "uuuu" + mode[1:], stack
        return (mode[1:], stack) if byte in b'"\\/bfnrt' else None
    return (mode[1:], stack) if byte in _HEX else None


def _in_number(mode: Mode, byte: int) -> Mode | None:
    """The mode after one more character of a number, or None if the byte is not part of a number."""
    if byte in _DIGITS:
        if mode == "minus":
            return "zero" if byte == ord("0") else "digits"
        return {"digits": "digits", "point": "fraction", "fraction": "fraction"}.get(mode) or (
            "exponent" if mode in ("e", "sign", "exponent") else None
        )
    if byte == ord(".") and mode in ("zero", "digits"):
        return "point"
    if byte in b"eE" and mode in ("zero", "digits", "fraction"):
        return "e"
    return "sign" if byte in b"+-" and mode == "e" else None


def _after_value(stack: str, byte: int) -> Config | None:
    if not stack:
        return None
    if byte == ord(","):
        return ("next name" if stack[-1] == "{" else "value"), stack
    return ("done", stack[:-1]) if byte == {"{": ord("}"), "[": ord("]")}[stack[-1]] else None


def _value(stack: str, byte: int) -> Config | None:
    if byte in _DIGITS:
        return ("zero" if byte == ord("0") else "digits"), stack
    begins = {'"': "string", "-": "minus", "t": "=rue", "f": "=alse", "n": "=ull"}
    if (mode := begins.get(chr(byte))) is not None:
        return mode, stack
    if byte in b"{[":
        return ("first name" if byte == ord("{") else "first item"), stack + chr(byte)
    return None
