"""Replies of 10 MB in shapes that tempt a reader to go back: they end within pytest's time limit, or they fail."""

from __future__ import annotations

from typing import Any

import pytest

from engine.judging.judge import Judge

SIZE = 10_000_000


def filled(unit: str) -> str:
    return unit * (SIZE // len(unit))


REPLIES = {
    "opening brackets": lambda: filled("["),
    "nested and closed": lambda: "[" * (SIZE // 2) + "]" * (SIZE // 2),
    "broken attempts": lambda: filled('{"a }'),
    "broken attempts, never closed": lambda: filled('{"a":1,'),
    "single quotes with escapes": lambda: filled("{'\\'}"),
    "apostrophes": lambda: filled("{'a "),
    "a string of escaped quotes": lambda: '{"a":"' + filled('\\"'),
    "a string of bad escapes": lambda: '{"a":"' + filled("\\x") + '"}',
    "quotes": lambda: filled('"'),
    "backticks": lambda: filled("`"),
    "fences": lambda: filled("```json\n"),
    "thinking": lambda: filled("<think>"),
    "one number": lambda: filled("1"),
    "spaces in an object": lambda: "{" + filled(" "),
    "values": lambda: filled("[] "),
    "numbers in a fence": lambda: "```\n[" + filled("1,") + "1]\n```",
    "one key many times": lambda: "{" + filled('"a":1,') + '"a":2}',
    "lone surrogates": lambda: filled("\ud800"),
    "forgotten brackets": lambda: "{x:" + "[" * (SIZE // 2) + "}" * (SIZE // 2),
    "comments": lambda: filled("{/*"),
}


@pytest.mark.parametrize("name", REPLIES)
def test_nasty_shapes(name: str) -> None:
    verdict = Judge({"type": "object"}).judge(REPLIES[name](), "stop", {"a": 1})
    assert not verdict.ok
    assert verdict.where is not None
    assert len(verdict.message) < 300


@pytest.mark.parametrize(
    "schema",
    [
        {"items": {"type": "string"}},
        {"anyOf": [{"items": {"type": "string"}}, {"items": {"maximum": 0}}]},
        {"uniqueItems": True, "items": {"required": ["b"]}},
    ],
)
def test_a_million_wrong_items(schema: dict[str, Any]) -> None:
    text = "[" + ",".join(f'{{"a":{number}}}' for number in range(SIZE // 14)) + "]"
    verdict = Judge({**schema, "type": "array"}).judge(text, "stop", None)
    if "anyOf" in schema:
        assert verdict.ok  # what is no number has no maximum
    else:
        assert verdict.where is not None
        assert verdict.where.pointer == "/0"
