"""Replies of up to 10 MB in shapes that tempt a reader to go back: they end before pytest's time limit."""

from __future__ import annotations

from typing import Any

import pytest

from engine.judging.judge import Judge

SIZE = 10_000_000
DENSE = 1_000_000  # where every character or two is a token: a reader that went back would still take hours


def filled(unit: str, size: int = SIZE) -> str:
    return unit * (size // len(unit))


REPLIES = {
    "opening brackets": lambda: filled("[", DENSE),
    "nested and closed": lambda: filled("[", DENSE) + filled("]", DENSE),
    "broken attempts": lambda: filled('{"a }', DENSE),
    "attempts never closed": lambda: filled('{"a":1,'),
    "single quotes with escapes": lambda: filled("{'\\'}", DENSE),
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
    "numbers in a fence": lambda: "```\n[" + filled("1,", DENSE) + "1]\n```",
    "one key many times": lambda: "{" + filled('"a":1,', DENSE) + '"a":2}',
    "lone surrogates": lambda: filled("\ud800"),
    "forgotten brackets": lambda: "{x:" + filled("[", DENSE) + filled("}", DENSE),
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
def test_many_wrong_items(schema: dict[str, Any]) -> None:
    text = "[" + ",".join(f'{{"a":{number}}}' for number in range(DENSE // 14)) + "]"
    verdict = Judge({**schema, "type": "array"}).judge(text, "stop", None)
    if "anyOf" in schema:
        assert verdict.ok  # what is no number has no maximum
    else:
        assert verdict.where is not None
        assert verdict.where.pointer == "/0"
