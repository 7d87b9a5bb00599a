"""What becomes a row, and what does not, on runs that the real judge has judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.judging.validator import build_validator
from engine.runs.reading import RunFolder
from engine.training.key_order import in_schema_order
from engine.training.rows import Row, Rows, Source
from tests.helpers.made_runs import EXPECTED, FENCED, MANIFEST, PROSE, RIGHT, WRONG, Made, write_run


def rows_of(folder: Path, *jobs: Made, source: Source | None = None, **options: Any) -> tuple[list[Row], Rows]:
    manifest = {**MANIFEST, **options.pop("manifest", {})}
    rows = Rows(RunFolder(write_run(folder, jobs, manifest)), source, **options)
    return list(rows), rows


def test_what_is_expected_comes_first_and_else_what_is_constrained(tmp_path: Path) -> None:
    spaced = '  {"name":  "Cem"}\n'
    jobs = [Made(PROSE, WRONG, case="ann", expected=EXPECTED), Made(PROSE, spaced, case="cem", input="I am Cem.")]
    rows, _ = rows_of(tmp_path, *jobs)
    assert [(row.source, row.completion) for row in rows] == [
        ("expected", '{"name": "Ann"}'),
        ("constrained", '{"name":  "Cem"}'),
    ]
    assert rows[1].messages == ({"role": "user", "content": "I am Cem."},)


@pytest.mark.parametrize(
    ("job", "source", "reason"),
    [
        (Made(PROSE, RIGHT), "expected", "nothing is expected"),
        (Made(PROSE, None), None, "there is no constrained reply"),
        (Made(PROSE, '{"name": "An'), None, "the constrained reply does not satisfy the schema"),
        (Made(PROSE, FENCED), None, "the constrained reply does not satisfy the schema"),
        (Made(PROSE, WRONG, expected=EXPECTED), "constrained", "the constrained reply has other values than expected"),
        (Made(PROSE, expected={"name": 3}), None, "what is expected does not satisfy the prompt's schema"),
    ],
)
def test_why_there_is_no_row(tmp_path: Path, job: Made, source: Source | None, reason: str) -> None:
    rows, maker = rows_of(tmp_path, job, source=source)
    assert rows == []
    assert maker.tally.left_out == {reason: 1}


def test_only_broken_free_replies_and_only_some_prompts(tmp_path: Path) -> None:
    jobs = [
        Made(RIGHT, case="ok", expected=EXPECTED),
        Made(FENCED, case="fenced", input="1", expected=EXPECTED),
        Made(WRONG, case="wrong", input="2", expected=EXPECTED),
        Made(None, case="undecoded", input="3", expected=EXPECTED),
        Made(FENCED, case="other", prompt="strict", input="4", expected=EXPECTED),
    ]
    rows, maker = rows_of(tmp_path, *jobs, only_broken=True, prompts=("naive",))
    assert [row.case for row in rows] == ["fenced", "wrong"]
    assert maker.tally.left_out == {"the free reply is not broken": 2}
    assert maker.tally.records == 4


def test_what_asks_and_answers_the_same_is_one_row_that_names_all_its_jobs(tmp_path: Path) -> None:
    jobs = [Made(PROSE, repeat=0), Made(PROSE, repeat=1), Made(PROSE, repeat=2, input="Another.")]
    rows, maker = rows_of(tmp_path, *jobs)
    assert [row.jobs for row in rows] == [["made/naive/ann#0", "made/naive/ann#1"], ["made/naive/ann#2"]]
    assert maker.tally.duplicates == 1


def test_a_completion_begins_as_the_prompts_prefill_does(tmp_path: Path) -> None:
    prompts = [{"name": "naive", "user": "{input}", "prefill": '{"name"'}, {"name": "strict", "prefill": "Sure: "}]
    jobs = [Made(PROSE, expected=EXPECTED), Made(PROSE, prompt="strict", expected=EXPECTED)]
    rows, maker = rows_of(tmp_path, *jobs, manifest={"prompts": prompts})
    assert [(row.prefill, row.completion) for row in rows] == [('{"name"', '{"name": "Ann"}')]
    assert maker.tally.left_out == {"the reply cannot begin as the prompt's prefill does": 1}


def test_thoughts_come_from_the_constrained_arm_alone(tmp_path: Path) -> None:
    thinking = [{"name": "naive", "user": "{input}", "think": {"close": "</think>", "budget": 9}}]
    job = Made(PROSE, RIGHT, expected=EXPECTED)
    rows, _ = rows_of(tmp_path / "both", job, manifest={"prompts": thinking})
    assert [row.source for row in rows] == ["constrained"]
    rows, maker = rows_of(tmp_path / "one", job, manifest={"prompts": thinking}, source="expected")
    assert rows == []
    assert maker.tally.left_out == {"the prompt lets the model think, and no thoughts are expected": 1}


def test_template_kwargs_of_the_suite_and_of_the_prompt(tmp_path: Path) -> None:
    manifest = {
        "generation": {"chat_template_kwargs": {"enable_thinking": True, "date": "today"}},
        "prompts": [{"name": "naive", "chat_template_kwargs": {"enable_thinking": False}}],
    }
    (row,), _ = rows_of(tmp_path, Made(PROSE), manifest=manifest)
    assert row.template_kwargs == {"enable_thinking": False, "date": "today"}


SCHEMA = {
    "properties": {
        "kind": {"type": "string"},
        "who": {"$ref": "#/$defs/person"},
        "all": {"type": "array", "prefixItems": [True], "items": {"$ref": "#/$defs/person"}},
        "one": {"anyOf": [{"type": "null"}, {"allOf": [{"$ref": "#/$defs/person"}]}]},
    },
    "$defs": {"person": {"type": "object", "properties": {"name": {}, "age": {}, "boss": {"$ref": "#/$defs/person"}}}},
}


def test_keys_are_in_the_order_of_the_schema_wherever_it_has_one() -> None:
    person = {"extra": 1, "boss": {"age": 2, "name": "b"}, "age": 3, "name": "a"}
    in_order = '{"name": "a", "age": 3, "boss": {"name": "b", "age": 2}, "extra": 1}'
    value = {"zz": {"b": 1, "a": 2}, "one": person, "all": [{"b": 1, "a": 2}, person], "who": person, "kind": "k"}
    text = json.dumps(in_schema_order(value, build_validator(SCHEMA), SCHEMA))
    assert text == (
        f'{{"kind": "k", "who": {in_order}, "all": [{{"b": 1, "a": 2}}, {in_order}], '
        f'"one": {in_order}, "zz": {{"b": 1, "a": 2}}}}'
    )
    assert json.loads(text) == value
