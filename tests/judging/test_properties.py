"""What must hold for any reply: a verdict, never a crash, and json.loads has the last word on strict."""

from __future__ import annotations

import json
from typing import Any, Literal, NoReturn, get_args

from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from engine.judging.judge import Judge
from engine.judging.spans import locate
from engine.judging.syntax import scan
from engine.judging.values import differences
from engine.judging.verdict import FailureClass, Verdict
from tests.judging.marked import ALICE, PERSON

FINISHES: st.SearchStrategy[Literal["stop", "length"]] = st.sampled_from(["stop", "length"])
SCHEMA = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "tags": {"type": "array", "uniqueItems": True}},
}

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(max_size=5), v, max_size=4))
persons = st.fixed_dictionaries({"name": st.text()}, optional={"tags": st.just([]), "more": values})


@st.composite
def dumped(draw: st.DrawFn, what: st.SearchStrategy[Any] = values) -> tuple[Any, str]:
    """A value and one of the ways to write it."""
    value = draw(what)
    return value, json.dumps(value, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 0, 2, "\t"])))


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """JSON with a few pieces put in or taken out."""
    _, text = draw(dumped(values | persons))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        piece = draw(
            st.sampled_from([*"{}[]\"':,\\/#-0`\n", "\ud800", "\0", "None", "NaN", "//", "/*", "\\u12", " x"])
            | st.text()
        )
        text = text[:at] + piece + text[at + draw(st.integers(0, 3)) :]
    return text


jsonish = st.text(alphabet=st.sampled_from("{}[]\"':,ab1-.e \n\\/#*<think>`~NaN"), max_size=60)
replies = st.text(alphabet=st.characters()) | jsonish | damaged()


def accepts(text: str) -> bool:
    """The reference: json.loads, NaN and Infinity refused."""

    def refuse(name: str) -> NoReturn:
        raise ValueError(name)

    try:
        json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True


@given(replies, FINISHES)
@example("[" * 5000 + "]" * 5000, "stop")
@example('{"a":' * 5000, "length")
@example("[" * 100_000, "length")
@example("1" * 5000, "stop")
@example("-" + "1" * 4300, "stop")
@example('{"age": 1e999}', "stop")
@example('{"\ud800": "\ud800"}', "stop")
@example("\ufeff{}", "stop")
@example("'", "length")
@example('{"name": "' + "\\", "length")
def test_any_text_gets_a_verdict(text: str, finish: Literal["stop", "length"]) -> None:
    verdict = Judge(PERSON).judge(text, finish, ALICE)
    assert verdict.strict == accepts(text)
    assert set(verdict.classes) <= set(get_args(FailureClass))
    assert len(set(verdict.classes)) == len(verdict.classes) > 0
    assert ("ok" in verdict.classes) == verdict.ok == (verdict.where is None)
    assert verdict.unwrapped or not (verdict.strict or verdict.schema or verdict.values)
    assert verdict.message.isprintable()
    TypeAdapter(Verdict).dump_json(verdict)
    if verdict.where is not None:
        place = verdict.where
        assert 0 <= place.start <= place.end <= len(text)
        lines = text[: place.start].split("\n")
        assert (place.line, place.column) == (len(lines), len(lines[-1]) + 1)
    assert ("truncated" in verdict.classes) <= (finish == "length")


@given(replies)
def test_the_reader_finds_fault_exactly_where_json_loads_does(text: str) -> None:
    reading = scan(text, 0)
    whole = reading.closed and not text[reading.end :].strip(" \t\n\r")
    assert (whole and not reading.breaks) == accepts(text)


prose = st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="{}[]<>`~"), max_size=40)
wrappings = st.sampled_from(["{}", "```json\n{}\n```", "```\n{}\n```", "~~~\n{}\n~~~", "<think>hm {{</think>{}"])


@given(dumped(persons), prose, prose, wrappings)
def test_a_value_in_a_wrapper_is_found(written: tuple[Any, str], before: str, after: str, wrapping: str) -> None:
    value, text = written
    inner = wrapping.replace("{}", text, 1)
    lead = "" if wrapping.startswith("<") else f"{before}\n"
    verdict = Judge(SCHEMA).judge(f"{lead}{inner}\n{after}", "stop", value)
    assert (verdict.unwrapped, verdict.schema, verdict.values) == (True, True, True)
    assert set(verdict.classes) <= {"ok", "prose_before", "prose_after", "code_fence", "think_tags"}
    assert verdict.strict == accepts(f"{lead}{inner}\n{after}")
    assert ("prose_after" in verdict.classes) == bool(after.strip())
    assert ("prose_before" in verdict.classes) == bool(lead.strip())


@given(dumped(persons), st.data())
def test_a_cut_object_is_truncated_at_its_end(written: tuple[Any, str], data: st.DataObject) -> None:
    _, text = written
    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    verdict = Judge(SCHEMA).judge(cut, "length", None)
    assert verdict.classes == ("truncated",)
    assert verdict.where is not None
    assert (verdict.where.start, verdict.where.end) == (len(cut), len(cut))
    assert Judge(SCHEMA).judge(cut, "stop", None).classes == ("other_syntax",)


@given(dumped())
def test_every_part_is_found_in_the_text(written: tuple[Any, str]) -> None:
    value, text = written
    todo: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while todo:
        path, part = todo.pop()
        place = locate(text, 0, [path])[path]
        assert json.loads(text[place.value.start : place.value.end]) == part
        if path and isinstance(path[-1], str):
            assert place.key is not None
            assert json.loads(text[place.key.start : place.key.end]) == path[-1]
        items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        todo += [((*path, key), child) for key, child in items]


@given(values, values)
def test_values_are_equal_when_their_canonical_json_is(one: Any, two: Any) -> None:
    def canonical(value: Any) -> Any:
        if isinstance(value, bool) or value is None or isinstance(value, str):
            return (type(value).__name__, value)
        if isinstance(value, list):
            return ("list", *map(canonical, value))
        if isinstance(value, dict):
            return ("dict", *sorted((key, canonical(item)) for key, item in value.items()))
        return ("number", value)

    assert next(differences(one, one), None) is None
    assert (next(differences(one, two), None) is None) == (canonical(one) == canonical(two))


def test_the_last_of_equal_keys_is_located() -> None:
    text = '{"a": {"b": 1}, "a": {"c": [2, 3]}}'
    places = locate(text, 0, [("a", "c", 1), ("a", "d"), ("a",)])
    assert {path: text[place.value.start : place.value.end] for path, place in places.items()} == {
        ("a", "c", 1): "3",
        ("a",): '{"c": [2, 3]}',
    }
