"""Turns a prompt and an input into the chat messages that the model reads, the placeholders filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.json_pointer import parse_pointer
from engine.records import Message
from engine.suites.tables import Prompt

_PLACEHOLDER = re.compile(r"\{(input|schema|keys)\}")
_DEEPEST = 4  # levels of a schema that {keys} describes, and references that it follows
_TYPES = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


def chat_messages(prompt: Prompt, text: str, schema: Mapping[str, Any]) -> tuple[Message, ...]:
    """The system message, if the prompt has one, the examples as user and assistant turns, then `text` as the user.

    `{input}`, `{schema}` (as one line of JSON) and `{keys}` (see key_list) are the only placeholders; every other brace
    is literal. They are filled in one pass, so an input that contains "{schema}" stays unchanged.
    """
    schema_text, keys = _as_json(schema), key_list(schema)

    def message(role: str, template: str, filling: str) -> Message:
        values = {"input": filling, "schema": schema_text, "keys": keys}
        return Message(role=role, content=_PLACEHOLDER.sub(lambda match: values[match[1]], template))

    messages = [] if prompt.system is None else [message("system", prompt.system, text)]
    for example in prompt.examples:
        reply = example.output if isinstance(example.output, str) else _as_json(example.output)
        messages += [message("user", prompt.user, example.input), Message(role="assistant", content=reply)]
    return (*messages, message("user", prompt.user, text))


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def key_list(schema: Mapping[str, Any]) -> str:
    """What `{keys}` stands for: a line for each key with its name, its type, and whether it may be left out.

    "" if the schema lists no keys. Nested objects are in braces on the same line. References inside the document are
    followed, to a depth of four.
    """
    return "\n".join(f"- {line}" for line in _keys(_resolved(schema, schema), schema, 0))


def _keys(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Iterator[str]:
    for key, part in schema.get("properties", {}).items():
        optional = "" if key in schema.get("required", ()) else " (may be left out)"
        yield f"{_as_json(key)}{optional}: {_describe(part, root, depth + 1)}"


def _describe(schema: Any, root: Mapping[str, Any], depth: int) -> str:
    """A schema in a few words: its values, its types, or its alternatives."""
    schema = _resolved(schema, root)
    if depth > _DEEPEST:
        return "any value"
    if "const" in schema:
        return _as_json(schema["const"])
    if "enum" in schema:
        return f"one of {', '.join(map(_as_json, schema['enum']))}"
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(dict.fromkeys(_describe(part, root, depth + 1) for part in schema[choice]))
    stated = schema.get("type", ())
    names = [stated] if isinstance(stated, str) else stated
    return " or ".join(_type(name, schema, root, depth) for name in names) or "any value"


def _type(name: str, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> str:
    if name == "object" and schema.get("properties"):
        return f"{{{', '.join(_keys(schema, root, depth))}}}"
    if name == "array" and "items" in schema:
        return f"an array, each item {_describe(schema['items'], root, depth + 1)}"
    limits = [f"{key} {schema[key]}" for key in ("format", "pattern") if name == "string" and key in schema]
    return f"{_TYPES.get(name, name)}{f' ({limits[0]})' if limits else ''}"


def _resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The target of a reference inside the document; {} for the schemas true and false."""
    for _ in range(_DEEPEST):
        found: Mapping[str, Any] = schema if isinstance(schema, Mapping) else {}
        reference = found.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            return found
        schema = root
        for part in parse_pointer(reference[1:]):
            schema = schema.get(part, {}) if isinstance(schema, Mapping) else {}
    return {}
