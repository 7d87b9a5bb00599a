"""A prompt and an input become the chat messages that the model reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from engine.key_list import key_list
from engine.records import Message
from engine.suites.tables import Prompt

_PLACEHOLDER = re.compile(r"\{(input|schema|keys)\}")


def chat_messages(prompt: Prompt, text: str, schema: Mapping[str, Any]) -> tuple[Message, ...]:
    """The system message, if the prompt has one, the examples as user and assistant turns, then `text` as the user.

    `{input}`, `{schema}` (as one line of JSON) and `{keys}` (a line for each) are the only placeholders; every other
    brace is literal. They are filled in one pass, so an input that contains "{schema}" stays as it is.
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
