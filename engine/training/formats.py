"""A row as TRL's SFTTrainer and others read it: conversational, as "messages" or as "prompt" and "completion".

Source: TRL's documentation, "Dataset formats" (https://huggingface.co/docs/trl/dataset_formats). With "prompt" and
"completion" TRL trains on the completion alone; with "messages" on the whole chat, unless assistant_only_loss is set.
The column "chat_template_kwargs" is given to the chat template, row by row.
"""

from __future__ import annotations

import json
from typing import Any, Literal, TypeAlias

from engine.records import Message
from engine.training.rows import Row

Format: TypeAlias = Literal["messages", "prompt-completion"]


def line_of(row: Row, format: Format, *, with_kwargs: bool) -> str:
    """One line of JSON, line break included. with_kwargs: all rows have the column, where one needs it."""
    reply = [Message(role="assistant", content=row.completion)]
    data: dict[str, Any]
    if format == "messages":
        data = {"messages": [*row.messages, *reply]}
    else:
        data = {"prompt": list(row.messages), "completion": reply}
    if with_kwargs:
        data["chat_template_kwargs"] = dict(row.template_kwargs)
    return json.dumps(data, ensure_ascii=False) + "\n"
