"""`jsonbreak export` from the command line on: the files, the card, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import cli
from engine.comparing.cases import read_cases
from engine.errors import BadInputError
from tests.helpers.made_runs import EXPECTED, FENCED, MANIFEST, PROSE, RIGHT, WRONG, Made, write_run

CASES = [f"c{number}" for number in range(10)]
TEST = ["c3", "c6", "c9"]  # of a share of 0.3, see test_split


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Ten cases, nine as they are and varied, under two prompts; of the last there is neither reply nor value."""
    jobs = [
        Made(FENCED, RIGHT, case, prompt, variation, input=f"{case} {prompt} {variation}", expected=EXPECTED)
        for prompt in ("naive", "strict")
        for case in CASES[:-1]
        for variation in (None, "typos")
    ]
    return write_run(tmp_path / "runs", [*jobs, Made(PROSE, None, case="c9")])


def export(run: Path, *arguments: object) -> Result:
    return CliRunner().invoke(cli, ["export", str(run), *map(str, arguments)], catch_exceptions=False)


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_messages_split_by_case_with_a_card_that_says_where_each_row_is_from(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    done = export(run, "--sft", file, "--split", "0.3")
    assert done.exit_code == 0
    names = ("rows.jsonl", "rows.test.jsonl", "rows.card.json", "rows.card.md")
    assert done.stdout.split() == [str(tmp_path / name) for name in names]
    assert "28 rows to train on, 8 to test on, of 37 records." in done.stderr
    assert "Left out: 1, because there is no constrained reply." in done.stderr
    card = json.loads((tmp_path / "rows.card.json").read_text(encoding="utf-8"))
    files = {name: lines_of(tmp_path / name) for name in ("rows.jsonl", "rows.test.jsonl")}
    assert {name: len(rows) for name, rows in files.items()} == {"rows.jsonl": 28, "rows.test.jsonl": 8}
    assert card["test_cases"] == TEST
    assert card["train_cases"] == sorted(set(CASES) - set(TEST))
    assert card["run"]["suite_sha256"] == MANIFEST["suite_sha256"]
    for origin in card["rows"]:
        row = files[origin["file"]][origin["line"] - 1]
        case, prompt, variation = row["messages"][0]["content"].split()
        varied = "" if variation == "None" else f"~{variation}"
        assert origin["jobs"] == [f"made/{prompt}/{case}{varied}#0"]
        assert (origin["case"] in TEST) is (origin["file"] == "rows.test.jsonl")
        assert row["messages"][-1] == {"role": "assistant", "content": '{"name": "Ann"}'}
    assert len(card["rows"]) == 36
    assert read_cases(tmp_path / "rows.card.json") == set(TEST)
    words = (tmp_path / "rows.card.md").read_text(encoding="utf-8")
    assert "| `rows.test.jsonl` | 8 | 3 |" in words
    assert "36 expected values, 0 constrained replies" in words


def test_prompt_and_completion_without_a_split(run: Path, tmp_path: Path) -> None:
    done = export(run, "--sft", tmp_path / "rows.jsonl", "--format", "prompt-completion", "--from", "constrained")
    assert done.exit_code == 0
    assert not (tmp_path / "rows.test.jsonl").exists()
    first = lines_of(tmp_path / "rows.jsonl")[0]
    assert first == {
        "prompt": [{"role": "user", "content": "c0 naive None"}],
        "completion": [{"role": "assistant", "content": RIGHT}],
    }


def test_all_rows_have_the_variables_of_the_chat_template_where_one_has_them(tmp_path: Path) -> None:
    prompts = [{"name": "naive", "chat_template_kwargs": {"enable_thinking": False}}, {"name": "strict"}]
    jobs = [Made(PROSE), Made(PROSE, prompt="strict", input="Another.")]
    run = write_run(tmp_path / "runs", jobs, {**MANIFEST, "prompts": prompts})
    assert export(run, "--sft", tmp_path / "rows.jsonl").exit_code == 0
    assert [row["chat_template_kwargs"] for row in lines_of(tmp_path / "rows.jsonl")] == [
        {"enable_thinking": False},
        {},
    ]


def test_nothing_is_written_over_and_nothing_is_left_half(run: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.card.md").write_text("mine")
    with pytest.raises(BadInputError, match=r"rows\.card\.md: this exists already; remove it"):
        export(run, "--sft", tmp_path / "rows.jsonl")
    empty = write_run(tmp_path / "runs", [Made(PROSE, WRONG, expected=EXPECTED)])
    with pytest.raises(BadInputError, match="no row can be made: of 1 of its 1 records, the constrained reply has"):
        export(empty, "--sft", tmp_path / "none.jsonl", "--from", "constrained")
    with pytest.raises(BadInputError, match="one case only"):
        export(empty, "--sft", tmp_path / "none.jsonl", "--split", "0.5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.card.md", "runs"]


def test_a_torn_line_is_left_out(run: Path, tmp_path: Path) -> None:
    records = run / "records.jsonl"
    records.write_bytes(records.read_bytes()[:-20])
    assert "of 36 records." in export(run, "--sft", tmp_path / "rows.jsonl").stderr
