"""From a run that breaks to an adapter that does not: run, export, tune, run again, compare, as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import islice, product
from pathlib import Path

import pytest

from engine.runs.store import read_records
from engine.statistics import Paired, newcombe_interval
from tests.helpers.suite_files import write_suite

JSONBREAK = [sys.executable, "-m", "engine"]
CASES, HELD_OUT = 80, 16
NAMES: tuple[str, ...] = ("Alice", "Bob", "Clara", "David", "Elena", "Felix", "Grace", "Hugo", "Irene", "Jonas")
NAMES += ("Karin", "Liam", "Marta", "Nadia", "Oscar", "Paula", "Quentin", "Rosa", "Samuel", "Tara")
SENTENCES = ("{} is {} years old.", "My name is {} and I am {}.", "This is {}, aged {}.", "{} turned {} last week.")


def jsonbreak(folder: Path, *arguments: object) -> str:
    command = [*JSONBREAK, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def sentences() -> str:
    """The cases, in an order in which neighbours share nothing; the ages go round from 18 to 77."""
    cases = []
    for number, (sentence, name) in enumerate(islice(product(SENTENCES, NAMES), CASES)):
        age = 18 + number * 7 % 60
        expected = f'{{ name = "{name}", age = {age} }}'
        cases.append(f'[[case]]\nid = "c{number}"\ninput = "{sentence.format(name, age)}"\nexpected = {expected}\n')
    return "".join(cases)


@pytest.mark.model
@pytest.mark.timeout(600)  # about a minute on two cores that have nothing else to do
def test_a_tuned_adapter_is_shown_to_be_better_on_cases_that_it_has_not_seen(
    tmp_path: Path, builtin_model: object
) -> None:
    write_suite(tmp_path, name="loop", cases=sentences())
    baseline = jsonbreak(tmp_path, "run", "loop.toml", "--device", "cpu", "--plain")

    jsonbreak(tmp_path, "export", baseline, "--sft", "rows.jsonl", "--split", "0.2")
    card = json.loads((tmp_path / "rows.card.json").read_text(encoding="utf-8"))
    held_out = card["test_cases"]
    assert len(held_out) == HELD_OUT

    # One time over 64 rows is enough here, and half as long as the usual two.
    jsonbreak(tmp_path, "tune", baseline, "--out", "tuned", "--epochs", "1", "--device", "cpu", "--plain")
    tuned_card = json.loads((tmp_path / "tuned" / "card.json").read_text(encoding="utf-8"))
    assert tuned_card["test_cases"] == held_out
    assert tuned_card["train_cases"] == card["train_cases"]
    assert tuned_card["counts"]["rows"] == CASES - HELD_OUT

    only = [word for case in held_out for word in ("--case", case)]
    run = jsonbreak(tmp_path, "run", "loop.toml", *only, "--adapter", "tuned", "--device", "cpu", "--plain")
    assert {record.case for record in read_records(tmp_path / run)} == set(held_out)

    compared = json.loads(jsonbreak(tmp_path, "compare", baseline, run, "--only-cases", "tuned/card.json", "--json"))
    (result,) = [
        each
        for each in compared["runs"][0]["results"]
        if (each["arm"], each["prompt"], each["outcome"]) == ("free", None, "ok")
    ]
    assert result["pairs"] == HELD_OUT
    assert result["interval"][0] > 0, result
    assert result["conclusion"] == "better"
    assert result["interval"] == pytest.approx(newcombe_interval(paired(tmp_path / baseline, tmp_path / run)))


def paired(baseline: Path, run: Path) -> Paired:
    """The same, counted here from the two runs' records."""
    before = {record.id: record for record in read_records(baseline)}
    counted = Paired()
    for record in read_records(run):
        was, now = before[record.id].free.verdict, record.free.verdict
        assert was is not None
        assert now is not None
        counted.add(was.ok, now.ok, record.case)
    return counted
