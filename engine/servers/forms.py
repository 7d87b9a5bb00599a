"""The ways to ask a server to hold a reply to a schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """A form of request. name: as it is told and recorded. fields: what a schema adds to the body of a request."""

    name: str
    fields: Callable[[Schema], dict[str, Any]]


def _json_schema(schema: Schema) -> dict[str, Any]:
    named = {"name": "reply", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def _structured_outputs(schema: Schema) -> dict[str, Any]:
    return {"structured_outputs": {"json": schema}}


def _json_object(schema: Schema) -> dict[str, Any]:
    return {"response_format": {"type": "json_object", "schema": schema}}


FORMS = (
    Form("response_format json_schema", _json_schema),  # OpenAI, vLLM, SGLang, llama.cpp's own server
    Form("structured_outputs", _structured_outputs),  # vLLM since 0.12, where guided_json no longer does anything
    Form("response_format json_object with schema", _json_object),  # llama_cpp.server
)
"""In the order in which they are tried."""
