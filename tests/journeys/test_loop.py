"""From a run that breaks to an adapter that does not: run, export, tune, run again, compare, as a user types them."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from engine.runs.store import read_records
from engine.statistics import Paired, newcombe_interval
from tests.helpers.command import Command
from tests.helpers.suite_files import write_suite

HELD_OUT, SHARE = 10, "0.25"
PROMPT = '[[prompt]]\nname = "naive"\nsystem = "Name and age."\nuser = "{input}"\n'  # short: each token is trained on
NAMES: tuple[str, ...] = ("Alice", "Bob", "Clara", "David", "Elena", "Felix", "Grace", "Hugo", "Irene", "Jonas")
NAMES += ("Karin", "Liam", "Marta", "Nadia", "Oscar", "Paula", "Quentin", "Rosa", "Samuel", "Tara")
SENTENCES = ("{} is {} years old.", "My name is {} and I am {}.")


def sentences() -> str:
    """The cases, in an order in which neighbours share nothing; the ages go round from 18 to 77."""
    cases = []
    for number, (sentence, name) in enumerate(product(SENTENCES, NAMES)):
        age = 18 + number * 7 % 60
        expected = f'{{ name = "{name}", age = {age} }}'
        cases.append(f'[[case]]\nid = "c{number}"\ninput = "{sentence.format(name, age)}"\nexpected = {expected}\n')
    return "".join(cases)


@pytest.mark.model
@pytest.mark.usefixtures("shared_model")
@pytest.mark.timeout(600)  # less than a minute on two cores that have nothing else to do
def test_a_tuned_adapter_is_shown_to_be_better_on_cases_that_it_has_not_seen(
    tmp_path: Path, jsonbreak: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def typed(*arguments: object) -> str:
        done = jsonbreak(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    monkeypatch.chdir(tmp_path)
    write_suite(tmp_path, name="loop", generation="max_new_tokens = 18", prompts=PROMPT, cases=sentences())
    baseline = typed("run", "loop.toml", "--device", "cpu", "--plain")

    typed("export", baseline, "--sft", "rows.jsonl", "--split", SHARE)
    card = json.loads((tmp_path / "rows.card.json").read_text(encoding="utf-8"))
    held_out = card["test_cases"]
    assert len(held_out) == HELD_OUT

    # Four steps at a high rate; six of the ten held-out cases would have to be right afterwards.
    few = ["--epochs", 1, "--lr", "7e-3", "--split", SHARE]
    typed("tune", baseline, "--out", "tuned", *few, "--device", "cpu", "--plain")
    tuned_card = json.loads((tmp_path / "tuned" / "card.json").read_text(encoding="utf-8"))
    assert tuned_card["test_cases"] == held_out
    assert tuned_card["train_cases"] == card["train_cases"]
    assert tuned_card["counts"]["rows"] == len(NAMES) * len(SENTENCES) - HELD_OUT

    only = [word for case in held_out for word in ("--case", case)]
    run = typed("run", "loop.toml", *only, "--adapter", "tuned", "--device", "cpu", "--plain")
    assert {record.case for record in read_records(tmp_path / run)} == set(held_out)

    compared = json.loads(typed("compare", baseline, run, "--only-cases", "tuned/card.json", "--json"))
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
