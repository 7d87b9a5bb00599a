"""A prompt → the `[[prompt]]` block that a suite file would have it in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from engine.suites.tables import Prompt

# What a basic string of TOML 1.0 must escape, tab and newline aside; a return, since parsers may read "\r\n" as "\n".
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def prompt_block(prompt: Prompt, remarks: Iterable[str] = ()) -> str:
    """The block as TOML text, with its own end of line. Its schema is left to the suite.

    remarks: sentences that stand before it as comments. Loading a suite with it gives the same prompt.
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
    """A string that people read: over several lines where it has them."""
    if "\n" not in text:
        return _string(text)
    body = _CONTROL.sub(_escape, text.replace("\\", "\\\\"))
    body = re.sub(r'"(?="|\Z)', r"\"", body)
    body = re.sub(r"[ \t](?=\n)", lambda match: f"\\u{ord(match[0]):04x}", body)  # editors strip it
    return f'"""\n{body}"""'


def _string(text: str) -> str:
    """On one line. JSON escapes all that TOML does, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _value(value: Any) -> str:
    """Any JSON value but null, which TOML does not have; nor can a suite file have given one."""
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
