"""The [compare] table of a suite: what its modes and paths mean, and each mistake in a sentence with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.judging.compare import EXACT, Rule
from engine.judging.judge import Judge
from engine.suites.faults import SuiteError
from engine.suites.suite import Suite, load_suite

SUITE = """name = "order"
[compare]
{compare}
[schema]
type = "object"
additionalProperties = false
[schema.properties.name]
type = "string"
[schema.properties.items]
type = "array"
items = {{ type = "object", properties = {{ price = {{ type = "number" }} }}, additionalProperties = false }}
[[prompt]]
name = "naive"
user = "{{input}}"
[[case]]
id = "one"
input = "x"
expected = {{ name = "Al B", items = [{{ price = 1.5 }}, {{ price = 2 }}] }}
"""


def load(folder: Path, compare: str) -> Suite:
    file = folder / "order.toml"
    file.write_text(SUITE.format(compare=compare), encoding="utf-8")
    return load_suite(file)


def test_modes_and_paths(tmp_path: Path) -> None:
    suite = load(
        tmp_path,
        '"/" = "exact"\n"/name" = ["casefold", "whitespace"]\n"/items" = "set"\n'
        '"/items/*/price" = { tolerance = 0.01 }\n"/items/0" = ["set", { tolerance = 1 }]\n"/items/1" = "ignore"\n',
    )
    assert suite.compare == {
        "/": EXACT,
        "/name": Rule(casefold=True, whitespace=True),
        "/items": Rule(unordered=True),
        "/items/*/price": Rule(tolerance=0.01),
        "/items/0": Rule(unordered=True, tolerance=1),
        "/items/1": Rule(ignored=True),
    }


def test_a_suite_without_the_table_compares_exactly(tmp_path: Path) -> None:
    assert load(tmp_path, "").compare == {}


def test_the_judge_goes_by_it(tmp_path: Path) -> None:
    rules = '"/name" = ["casefold", "whitespace"]\n"/items" = "set"\n"/items/*/price" = { tolerance = 0.01 }'
    suite = load(tmp_path, rules)
    (case,) = suite.cases
    assert suite.json_schema is not None
    judge = Judge(suite.json_schema, suite.compare)
    assert judge.judge('{"items": [{"price": 2.01}, {"price": 1.5}], "name": "al  b"}', "stop", case.expected).ok
    verdict = judge.judge('{"items": [{"price": 2.02}, {"price": 1.5}], "name": "al  b"}', "stop", case.expected)
    assert verdict.classes == ("wrong_value",)
    assert verdict.message.startswith("Expected an object with 1 key among the items of /items, in any order; got an")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('"/name" = "casefolded"', 'compare."/name": there is no mode "casefolded"; did you mean "casefold"?'),
        ('"/name" = "tolerance"', 'compare."/name": there is no mode "tolerance"; write { tolerance = 0.01 }'),
        ('"name" = "exact"', 'compare.name: a path begins with /; write "/name", or "" for the whole value'),
        ('"/nmae" = "exact"', 'compare."/nmae": the schema allows nothing there; did you mean "/name"?'),
        ('"/items/*/cost" = "exact"', 'compare."/items/*/cost": the schema allows nothing there; did you mean'),
        ('"/name/*" = "exact"', 'compare."/name/*": the schema allows nothing there; did you mean "/name"?'),
        ('"/items/price" = "exact"', 'compare."/items/price": the schema allows nothing there; did you mean'),
        ('"/name" = ["exact", "set"]', '"exact" cannot be combined; take it out of the list or write nothing else'),
        ('"/name" = []', 'the list is empty; write "exact", or leave the key out'),
        (
            '"/name" = 1',
            "must be a mode in quotes, { tolerance = … } or a list of them, not an integer; correct the value",
        ),
        ('"/name" = { tolerance = -1 }', "the tolerance must be at least 0, not -1; change the number"),
        ('"/name" = { tolerance = "1" }', "the tolerance must be a number, not a string; write it without quotes"),
        ('"/name" = { tolerence = 1 }', 'unknown key "tolerence"; write { tolerance = 0.01 }'),
        ('"/name" = { tolerance = inf }', "JSON has no inf; write a finite number"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(SuiteError) as raised:
        load(tmp_path, f'"/items" = "set"\n{line}')
    (fault,) = raised.value.faults
    assert fault.startswith(f"{tmp_path / 'order.toml'}, line 4, ")
    assert sentence in fault


def test_the_same_place_twice(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r'line 4, compare."/": the same place as ""; keep one of the two'):
        load(tmp_path, '"" = "exact"\n"/" = "ignore"')


@pytest.mark.parametrize("path", ["/items/7", "/items/*", "/*/*/*", "", "/items/0/price"])
def test_a_path_that_may_lead_somewhere_is_taken(tmp_path: Path, path: str) -> None:
    assert list(load(tmp_path, f'"{path}" = "exact"').compare) == [path]
