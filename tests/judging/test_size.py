"""Replies of megabytes in shapes that tempt a reader to go back: they end in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.judging.judge import Judge

pytestmark = pytest.mark.timeout(60)  # each takes about a second; a reader that went back would take minutes or hours

SIZE, SIZE_OF_RELEASE = 3_000_000, 10_000_000


def filled(unit: str, size: int) -> str:
    return unit * (size // len(unit))


# By the size; a tenth of it where every character or two is a token.
REPLIES: dict[str, Callable[[int], str]] = {
    "opening brackets": lambda size: filled("[", size // 10),
    "nested and closed": lambda size: filled("[", size // 10) + filled("]", size // 10),
    "broken attempts": lambda size: filled('{"a }', size // 10),
    "attempts never closed": lambda size: filled('{"a":1,', size),
    "single quotes with escapes": lambda size: filled("{'\\'}", size // 10),
    "apostrophes": lambda size: filled("{'a ", size),
    "a string of escaped quotes": lambda size: '{"a":"' + filled('\\"', size),
    "a string of bad escapes": lambda size: '{"a":"' + filled("\\x", size) + '"}',
    "quotes": lambda size: filled('"', size),
    "backticks": lambda size: filled("`", size),
    "fences": lambda size: filled("```json\n", size),
    "thinking": lambda size: filled("<think>", size),
    "one number": lambda size: filled("1", size),
    "spaces in an object": lambda size: "{" + filled(" ", size),
    "values": lambda size: filled("[] ", size),
    "numbers in a fence": lambda size: "```\n[" + filled("1,", size // 10) + "1]\n```",
    "one key many times": lambda size: "{" + filled('"a":1,', size // 10) + '"a":2}',
    "lone surrogates": lambda size: filled("\ud800", size),
    "forgotten brackets": lambda size: "{x:" + filled("[", size // 10) + filled("}", size // 10),
    "comments": lambda size: filled("{/*", size),
}


@pytest.mark.parametrize("size", [SIZE, pytest.param(SIZE_OF_RELEASE, marks=pytest.mark.release)])
@pytest.mark.parametrize("name", REPLIES)
def test_nasty_shapes(name: str, size: int) -> None:
    verdict = Judge({"type": "object"}).judge(REPLIES[name](size), "stop", {"a": 1})
    assert not verdict.ok
    assert verdict.where is not None
    assert len(verdict.message) < 300


@pytest.mark.parametrize("size", [SIZE, pytest.param(SIZE_OF_RELEASE, marks=pytest.mark.release)])
@pytest.mark.parametrize(
    "schema",
    [
        {"items": {"type": "string"}},
        {"anyOf": [{"items": {"type": "string"}}, {"items": {"maximum": 0}}]},
        {"uniqueItems": True, "items": {"required": ["b"]}},
    ],
)
def test_many_wrong_items(schema: dict[str, Any], size: int) -> None:
    text = "[" + ",".join(f'{{"a":{number}}}' for number in range(size // 140)) + "]"
    verdict = Judge({**schema, "type": "array"}).judge(text, "stop", None)
    if "anyOf" in schema:
        assert verdict.ok  # what is no number has no maximum
    else:
        assert verdict.where is not None
        assert verdict.where.pointer == "/0"
