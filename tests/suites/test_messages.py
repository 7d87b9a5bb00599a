"""Prompts become messages, and nothing but the two placeholders is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.records import Message
from engine.suites.messages import chat_messages
from engine.suites.tables import Example, Prompt

SCHEMA = {"type": "object", "title": "é {input}"}
SCHEMA_TEXT = '{"type": "object", "title": "é {input}"}'


def contents(prompt: Prompt, text: str) -> list[str]:
    return [message["content"] for message in chat_messages(prompt, text, SCHEMA)]


def test_a_bare_prompt_is_one_message() -> None:
    prompt = Prompt(name="naive", user="Extract the name and age: {input}")
    assert chat_messages(prompt, "Bob is 25.", SCHEMA) == (
        Message(role="user", content="Extract the name and age: Bob is 25."),
    )


def test_a_full_prompt_in_its_order() -> None:
    prompt = Prompt(
        name="full",
        system="Follow {schema}",
        user="<{input}>",
        examples=(
            Example(input="é is 3", output={"name": "é", "age": 3}),
            Example(input="two", output="word for word {input}"),
            Example(input="three", output=[None, 1.5, True]),
        ),
    )
    assert chat_messages(prompt, "Bob", SCHEMA) == (
        {"role": "system", "content": f"Follow {SCHEMA_TEXT}"},
        {"role": "user", "content": "<é is 3>"},
        {"role": "assistant", "content": '{"name": "é", "age": 3}'},
        {"role": "user", "content": "<two>"},
        {"role": "assistant", "content": "word for word {input}"},
        {"role": "user", "content": "<three>"},
        {"role": "assistant", "content": "[null, 1.5, true]"},
        {"role": "user", "content": "<Bob>"},
    )


def test_an_empty_system_message_is_sent_and_none_is_not() -> None:
    assert [m["role"] for m in chat_messages(Prompt(name="p", user="{input}", system=""), "x", {})] == [
        "system",
        "user",
    ]
    assert [m["role"] for m in chat_messages(Prompt(name="p", user="{input}"), "x", {})] == ["user"]


def test_the_prefill_is_no_message() -> None:
    with_prefill = Prompt(name="p", user="{input}", prefill='{"name":')
    assert contents(with_prefill, "x") == ["x"]


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{input}{input}", "XX"),
        ("{{input}}", "{X}"),
        ('{"name": "…"} {input}', '{"name": "…"} X'),
        ("{ input } {Input} {inputs} {} {0} {schema.type} {input!r} %s $input", None),
        ("{schema}/{input}", f"{SCHEMA_TEXT}/X"),
        ("{sch{input}ema}", "{schXema}"),
    ],
)
def test_placeholders(template: str, filled: str | None) -> None:
    assert contents(Prompt(name="p", user=template), "X") == [template if filled is None else filled]


@pytest.mark.parametrize("text", ["{schema}", "{input}", r"\1 \g<0>", "", "{" * 1000, "x" * 100_000, "\x00\x1b[31m"])
def test_an_input_stays_as_it_is(text: str) -> None:
    assert contents(Prompt(name="p", user="<{input}|{schema}>"), text) == [f"<{text}|{SCHEMA_TEXT}>"]


BRACES = st.text(alphabet="{}inputschema \\\"'é", max_size=30).filter(
    lambda t: "{input}" not in t and "{schema}" not in t
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(before=BRACES, between=BRACES, after=BRACES, text=st.text(), schema=st.dictionaries(st.text(), JSON, max_size=3))
def test_braces_and_inputs_come_through_whole(
    before: str, between: str, after: str, text: str, schema: dict[str, Any]
) -> None:
    prompt = Prompt(name="p", user=f"{before}|{{input}}|{between}|{{schema}}|{after}")
    (message,) = chat_messages(prompt, text, schema)
    start, end = f"{before}|{text}|{between}|", f"|{after}"
    assert message["content"].startswith(start)
    assert message["content"].endswith(end)
    schema_text = message["content"][len(start) : -len(end)]
    assert json.loads(schema_text) == schema
    assert "\n" not in schema_text
