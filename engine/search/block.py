"""Writes a prompt as a `[[prompt]]` table for a suite file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from engine.suites.tables import Prompt

# What a basic string of TOML 1.0 must escape, except tab and newline; and "\r", since parsers may read "\r\n" as "\n".
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def prompt_block(prompt: Prompt, remarks: Iterable[str] = ()) -> str:
    """The table as TOML, line break at the end included. Its schema is the suite's.

    A suite with this table loads the same prompt. remarks: sentences to put before it as comments.
    """
    lines = [f"# {line}" for remark in remarks for line in remark.splitlines()]
    lines += ["[[prompt]]", f"name = {_string(prompt.name)}"]
    lines += [f"system = {_text(prompt.system)}"] if prompt.system is not None else []
    lines += [f"user = {_text(prompt.user)}"]
    lines += [f"prefill = {_string(prompt.prefill)}"] if prompt.prefill is not None else []
    if prompt.think is not None:
        lines += [f"think = {_value({'close': prompt.think.close, 'budget': prompt.think.budget})}"]
    if prompt.chat_template_kwargs:
        lines += [f"chat_template_kwargs = {_value(prompt.chat_template_kwargs)}"]
    for example in prompt.examples:
        lines += ["", "[[prompt.examples]]", f"input = {_text(example.input)}", f"output = {_value(example.output)}"]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """A string for people to read: a multi-line one if it has several lines."""
    if "\n" not in text:
        return _string(text)
    body = _CONTROL.sub(_escape, text.replace("\\", "\\\\"))
    body = re.sub(r'"(?="|\Z)', r"\"", body)
    body = re.sub(r"[ \t](?=\n)", lambda match: f"\\u{ord(match[0]):04x}", body)  # editors strip trailing whitespace
    return f'"""\n{body}"""'


def _string(text: str) -> str:
    """On one line. JSON escapes everything that TOML requires, except DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _value(value: Any) -> str:
    """Any JSON value except null, which TOML lacks, so that no suite file can contain it."""
    match value:
        case str():
            return _string(value)
        case dict():
            inside = ", ".join(f"{_key(key)} = {_value(part)}" for key, part in value.items())
            return f"{{ {inside} }}" if inside else "{}"
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case bool() | int() | float():
            return json.dumps(value)
    raise TypeError(f"TOML cannot say {value!r}")


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)
