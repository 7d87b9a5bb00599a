"""`jsonbreak runs` and `jsonbreak show`: what they print for a person, and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from engine.cli.main import cli
from engine.runs import owner
from engine.runs.store import MANIFEST, RECORDS, create_run
from engine.statistics import Share, wilson_interval
from tests.helpers.made_runs import EXPECTED, FENCED, PROSE, RIGHT, WRONG, Made, write_run
from tests.helpers.made_runs import MANIFEST as TOLD

HOSTILE = "\x1b[2J[bold]x[/bold]\u202e"
ADAPTER = {"name": "tuned", "path": "out", "sha256": "ab" * 32, "base": "smol", "live": 3.25}
NEWEST = {
    **TOLD,
    "adapter": ADAPTER,
    "command_line": ["jsonbreak", "run", "a suite.toml"],
    "suite_text": "name = 'made' # not printed",
    "prompts_sha256": {"naive": "cd" * 32},
    "model_sha256": "ef" * 32,
    "from_the_future": {"a": [1, 2]},
    "resumed": ["2026-01-01T11:00:00+00:00"],
}
JOBS = [
    Made(RIGHT, case="a", expected=EXPECTED),
    Made(FENCED, case="b", expected=EXPECTED),
    Made(PROSE, WRONG, case="c", expected=EXPECTED),
    Made(RIGHT, None, case="d", expected=EXPECTED),
]


def jsonbreak(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


def finished(out: Path, jobs: list[Made] = JOBS, **manifest: Any) -> Path:
    """A run that has ended, with the rates that the engine writes at the end: here as `show` counts them."""
    folder = write_run(out, jobs, {**NEWEST, **manifest})
    counted = json.loads(jsonbreak("show", folder, "--json").stdout)["rates"]
    rates = {
        arm: {name: [share["k"], share["n"]] for name, share in shares.items() if name != "errors"}
        | {"errors": shares["errors"], "replies_as_one": 1.0}
        for arm, shares in counted.items()
    }
    told = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**told, "rates": rates}))
    return folder


def test_runs_are_listed_with_their_rates_and_intervals(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    lines = jsonbreak("runs", "--runs", tmp_path).stdout.splitlines()
    assert lines == [
        "                 strict JSON          schema-valid         right values",
        folder.name,
        "    finished     4 of 4 jobs: made on made-model with the adapter tuned",
        "    free         50% of 4 (15–85%)    75% of 4 (30–95%)    75% of 4 (30–95%)",
        "    constrained  100% of 3 (44–100%)  100% of 3 (44–100%)  67% of 3 (21–94%)",
    ]
    low, high = wilson_interval(Share(2, 4))
    (told,) = json.loads(jsonbreak("runs", "--runs", tmp_path, "--json").stdout)
    assert told["rates"]["free"]["strict"] == {"k": 2, "n": 4, "interval": [low, high]}
    assert told["rates"]["constrained"]["errors"] == 1
    assert {key: told[key] for key in ("name", "state", "suite", "model", "adapter", "done", "total", "trial_of")} == {
        "name": folder.name,
        "state": "finished",
        "suite": "made",
        "model": "made-model",
        "adapter": "tuned",
        "done": 4,
        "total": 4,
        "trial_of": None,
    }


def test_the_newest_run_is_listed_first_whatever_its_state(tmp_path: Path) -> None:
    at = "2026-01-0{}T00:00:00+00:00".format
    broken = write_run(tmp_path, JOBS, {**TOLD, "started": at(1), "trial_of": "other"}, ended=False)
    (broken / owner.ENGINE).unlink()
    going = create_run(tmp_path, "on", "model", {**TOLD, "suite": HOSTILE, "started": at(3), "jobs": 1000})
    odd = tmp_path / "20260102T000000Z-odd"
    odd.mkdir()
    (odd / MANIFEST).write_text("{")
    said = jsonbreak("runs", "--runs", tmp_path).stdout
    going.close()
    lines = said.splitlines()[1:]
    assert [line for line in lines if not line.startswith(" ")] == [going.folder.name, odd.name, broken.name]
    assert "    running      0 of 1,000 jobs: \\x1b[2J[bold]x[/bold]\\u202e on made-model" in lines
    assert "    interrupted  ? on ?" in lines
    assert "                 run.json is not a manifest of jsonbreak" in lines
    assert "    interrupted  4 of 4 jobs: made on made-model, a trial of other" in lines
    assert lines.count("                 no rates: they are written when a run ends") == 2


@pytest.mark.parametrize(
    ("k", "n", "words"), [(0, 9, "0% of 9 ("), (1, 9999, "<1% of 9,999 ("), (9998, 9999, ">99% of 9,999 (")]
)
def test_a_share_that_is_not_all_is_not_called_all(tmp_path: Path, k: int, n: int, words: str) -> None:
    folder = finished(tmp_path)
    told = json.loads((folder / MANIFEST).read_text())
    told["rates"]["free"]["strict"] = [k, n]
    (folder / MANIFEST).write_text(json.dumps(told))
    assert words in jsonbreak("runs", "--runs", tmp_path).stdout


def test_where_there_are_no_runs_that_is_said(tmp_path: Path) -> None:
    said = jsonbreak("runs", "--runs", tmp_path)
    assert (said.exit_code, said.stdout) == (0, "")
    assert said.stderr == f"{tmp_path}: there are no runs here; name their folder with --runs.\n"
    assert json.loads(jsonbreak("runs", "--runs", tmp_path / "gone", "--json").stdout) == []


def test_a_run_is_shown_in_eighty_columns(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    said = jsonbreak("show", "last", "--runs", tmp_path)
    assert said.exit_code == 0
    text = said.stdout
    assert "\x1b" not in text, "no terminal, no colour"
    lines = text.splitlines()
    assert lines[:2] == [folder.name, "  finished: 4 of 4 jobs finished"]
    assert max(map(cell_len, lines)) <= 80
    assert [line for line in lines if line and not line.startswith(" ")][1:] == [
        "Replies: the share, and its 95 % interval",
        "The model",
        "What it was asked",
        "The run",
        "What newer versions write",
        "The grammar",
        "The prompt naive",
        "The prompt strict",
        "The JSON Schema",
    ]
    for line in (
        "  free          strict JSON    2/4, 50% (15–85%)",
        "                right values   2/3, 67% (21–94%)",
        "                not decoded    1",
        f"  SHA-256 of    {'ef' * 32}",
        "  command line  jsonbreak run 'a suite.toml'",
        "  resumed       2026-01-01T11:00:00+00:00",
        "  took          5 s from start to end",
        f"  SHA-256 {'cd' * 32}",
        "  Who? {input}",
        '    "additionalProperties": false,',
    ):
        assert line in lines
    words = " ".join(text.split())
    assert "minimum at /properties/age/minimum" in words
    assert "changes the logits of a probe by up to 3.25" in words
    assert "not printed" not in text


def test_json_has_the_manifest_as_it_is_on_disk(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    told = json.loads(jsonbreak("show", folder, "--json").stdout)
    assert told["manifest"] == json.loads((folder / MANIFEST).read_text())
    assert (told["name"], told["state"], told["records"], told["problems"]) == (folder.name, "finished", 4, [])


def test_a_run_without_an_end_is_counted_from_its_records(tmp_path: Path) -> None:
    folder = write_run(tmp_path, JOBS[:2], {**TOLD, "jobs": 4}, ended=False)
    (folder / owner.ENGINE).unlink()
    with (folder / RECORDS).open("ab") as records:
        records.write(b'{"id": "torn')
    text = jsonbreak("show", folder).stdout
    assert "  interrupted: 2 of 2 jobs finished; it can be resumed\n" in text
    assert "strict JSON    1/2, 50% (9–91%)" in text
    assert "The last line of records.jsonl was cut off" in text
    (folder / MANIFEST).unlink()
    text = jsonbreak("show", folder).stdout
    assert "  There is no run.json: what was run is not known.\n" in text
    assert json.loads(jsonbreak("show", folder, "--json").stdout)["manifest"] is None


def test_what_others_wrote_is_shown_and_does_nothing(tmp_path: Path) -> None:
    prompts = [{"name": HOSTILE, "user": f"{HOSTILE}\n\t{{input}}"}]
    text = jsonbreak("show", finished(tmp_path, model=HOSTILE, prompts=prompts, command_line=[HOSTILE])).stdout
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("\\x1b[2J[bold]x[/bold]\\u202e") == 4
