"""Schemas compile out of the way: within a time limit, once, and a damaged cache is no harm."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from engine.backends import GrammarError
from engine.grammars.compiling import _CHILD, compile_grammar
from engine.grammars.grammar import Grammar
from engine.protocol.commands import GrammarKind
from engine.protocol.events import Loading
from tests.helpers.byte_grammars import BYTES, STOP, accepts

AGE = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
# An array of long strings in an array: the index grows with the product of the bounds.
SLOW = {
    "type": "array",
    "minItems": 1,
    "maxItems": 60,
    "items": {"type": "array", "maxItems": 60, "items": {"type": "string", "maxLength": 200}},
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JSONBREAK_CACHE", str(tmp_path))
    return tmp_path / "grammars"


def compiled(
    schema: dict[str, Any], kind: GrammarKind = "outlines_core", seconds: float = 60
) -> tuple[Grammar, list[Loading]]:
    emitted: list[Loading] = []
    return compile_grammar(schema, BYTES, [STOP], seconds, emitted.append, kind), emitted


@pytest.mark.parametrize("kind", ["outlines_core", "llguidance"])
def test_compiled_elsewhere_and_kept(kind: GrammarKind, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grammar, emitted = compiled(AGE, kind)
    assert grammar.backend == kind
    assert emitted[0] == Loading("compiling the schema")
    assert accepts(grammar, '{"age": 3}')
    assert not accepts(grammar, '{"age": "3"}')
    (kept,) = cache.iterdir()
    monkeypatch.setattr("engine.grammars.compiling._CHILD", ["false"])
    again, _ = compiled(AGE, kind)
    assert accepts(again, '{"age": 3}')
    kept.write_bytes(kept.read_bytes()[:-1])
    with pytest.raises(GrammarError, match="could not be compiled"):
        compiled(AGE, kind)  # the damaged file was not used, and the child is broken


def test_what_goes_into_a_grammar_keeps_it_apart(cache: Path) -> None:
    compiled({"type": "object", "properties": {"a": {"type": "null"}, "b": {"type": "null"}}})
    compiled({"type": "object", "properties": {"b": {"type": "null"}, "a": {"type": "null"}}})
    compiled(AGE)
    compiled(AGE, "llguidance")
    compile_grammar(AGE, BYTES, [STOP, STOP + 1], 60, lambda event: None)
    assert len(list(cache.iterdir())) == 5


@pytest.mark.parametrize(
    ("schema", "backend"),
    [
        (AGE, "outlines_core"),
        ({"type": "integer", "minimum": 3}, "outlines_core"),  # listed as unenforced, which is no defect
        ({"type": "string", "format": "ipv4"}, "llguidance"),
        ({"type": "string", "pattern": "ab|cd"}, "llguidance"),
    ],
)
def test_auto_takes_outlines_where_it_can_be_trusted(schema: dict[str, Any], backend: str) -> None:
    grammar, _ = compiled(schema, "auto")
    assert grammar.backend == backend
    assert [item.pointer for item in grammar.unenforced] == (["/minimum"] if "minimum" in schema else [])


def test_auto_says_why_neither_can() -> None:
    with pytest.raises(GrammarError, match=r"outlines_core cannot .* at /not: .*\. llguidance cannot .* at /not\."):
        compiled({"not": {"type": "string"}}, "auto")


def test_a_schema_that_takes_too_long_is_given_up_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    emitted: list[Loading] = []
    with pytest.raises(GrammarError, match=r"not compiled within 1 s; \[generation\] compile_seconds"):
        compile_grammar(SLOW, BYTES, [STOP], 1, emitted.append, "outlines_core")
    assert time.monotonic() - started >= 1
    assert emitted[-1].unit == "s"
    monkeypatch.setattr("engine.grammars.compiling._CHILD", ["false"])
    with pytest.raises(GrammarError, match="not compiled within 1 s"):
        compiled(SLOW, seconds=1)
    with pytest.raises(GrammarError, match="could not be compiled"):
        compiled(SLOW, seconds=2)  # more time is another try


def test_auto_falls_back_on_llguidance_when_outlines_takes_too_long() -> None:
    grammar = compile_grammar(SLOW, BYTES, [STOP], 3, lambda event: None)
    assert grammar.backend == "llguidance"
    assert accepts(grammar, '[["a", "b"], []]')


def test_a_child_that_is_slow_to_read_gets_the_whole_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order larger than a pipe's buffer, to a child that looks at it only after the first timeout."""
    monkeypatch.setattr("engine.grammars.compiling._CHILD", ["sh", "-c", 'sleep 0.3; exec "$@"', "sh", *_CHILD])
    many = {**BYTES, **{b"%06d" % n: [1000 + n] for n in range(20_000)}}
    grammar = compile_grammar(AGE, many, [STOP], 60, lambda event: None)
    assert accepts(grammar, '{"age": 3}')


def test_the_reason_of_the_child_is_passed_on() -> None:
    with pytest.raises(GrammarError, match=r"^Outlines cannot compile the schema: "):
        compiled({"type": "string", "minLength": 1 << 40})


def test_a_process_that_is_killed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.grammars.compiling._CHILD", ["sh", "-c", "kill -9 $$"])
    with pytest.raises(GrammarError, match="ended by SIGKILL"):
        compiled(AGE)


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("JSONBREAK_CACHE", str(tmp_path / "file"))
    grammar, _ = compiled(AGE)
    assert accepts(grammar, '{"age": 3}')
