"""The command line as a user meets it: the real model, exit codes and streams.

A whole run, ctrl+c and a refusal are real processes; all else runs in this one.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from engine.cli.options import GRAMMARS
from engine.protocol.commands import GrammarKind
from engine.runs.store import read_records
from tests.helpers.command import Command, Finished
from tests.helpers.suite_files import PERSON_SCHEMA, numbered_cases, write_suite

SHORT = "max_new_tokens = 3"


def process(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "engine", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished_process(*arguments: object) -> Finished:
    with process(*arguments) as child:
        said = child.communicate()
    return Finished(child.args, child.returncode, *said)


def records_of(finished: Finished) -> list[dict[str, Any]]:
    lines = (Path(finished.stdout.strip()) / "records.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.model
def test_a_run_leaves_a_folder_with_a_manifest_and_a_record_for_each_job(tmp_path: Path, builtin_model: object) -> None:
    suite = write_suite(tmp_path)
    finished = finished_process("run", suite, "--out", tmp_path / "out", "--device", "cpu", "--plain")
    assert finished.returncode == 0, finished.stderr
    folder = Path(finished.stdout.strip())
    assert folder.parent == tmp_path / "out"
    manifest = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert manifest["model"] == "SmolLM2-135M-Instruct"
    assert (manifest["jobs"], manifest["done"], manifest["stopped"]) == (2, 2, False)
    assert manifest["versions"].keys() == {
        *("python", "torch", "transformers", "outlines", "outlines_core", "llguidance", "tokenizers", "cuda", "driver")
    }
    assert (manifest["device"], manifest["dtype"], manifest["attention"]) == ("cpu", "float32", "sdpa")
    assert manifest["device_name"]
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= manifest["model_files"].keys()
    for key in ("model_sha256", "tokenizer_sha256", "chat_template_sha256", "suite_sha256"):
        assert re.fullmatch("[0-9a-f]{64}", manifest[key])
    assert manifest["suite_text"] == suite.read_text()
    assert manifest["prompts_sha256"].keys() == {"naive"}
    assert manifest["generation"]["seed"] == 0
    assert manifest["adapter"] is None
    assert manifest["command_line"][:3] == ["jsonbreak", "run", str(suite)]
    assert manifest["started"] <= manifest["ended"]
    records = {record["case"]: record for record in records_of(finished)}
    assert set(records) == {"alice", "bob"}
    assert records["alice"]["id"] == "small/naive/alice#0"
    for record in records.values():
        assert set(record) == {
            *("id", "suite", "prompt", "case", "variation", "repeat", "seed", "input", "messages", "expected"),
            *("free", "constrained", "fork", "agree", "tags"),
        }
        constrained = record["constrained"]
        assert constrained["verdict"]["classes"] == ["ok"]
        assert json.loads(constrained["text"]) == record["expected"]
    assert "naive" in finished.stderr
    assert "SmolLM2-135M-Instruct on cpu, float32" in finished.stderr
    assert len(list(read_records(folder))) == 2


@pytest.mark.model
@pytest.mark.usefixtures("shared_model")
def test_parts_of_a_suite(tmp_path: Path, jsonbreak: Command) -> None:
    suite = write_suite(tmp_path, generation=SHORT, schema=f"{PERSON_SCHEMA}minimum = 1\n")
    options = ["--prompt", "naive", "--case", "bob", "--case", "alice", "--limit", 1]
    options += ["--batch", 1]
    part = jsonbreak("run", suite, *options, "--out", tmp_path, "--device", "cpu")
    assert [record["case"] for record in records_of(part)] == ["alice"]
    manifest = json.loads((Path(part.stdout.strip()) / "run.json").read_text(encoding="utf-8"))
    assert manifest["batch"] == 1
    (note,) = [line for line in part.stderr.splitlines() if line.startswith("Note: ")]
    assert "minimum" in note, "the grammar does not enforce it"


@pytest.mark.model
@pytest.mark.usefixtures("shared_model")
def test_a_schema_without_a_grammar_runs_the_free_arm_and_says_why(tmp_path: Path, jsonbreak: Command) -> None:
    schema = PERSON_SCHEMA.replace('type = "string"', 'type = "string"\nformat = "ipv4"')
    case = '[[case]]\nid = "one"\ninput = "I am 10.0.0.1, aged 3."\n'
    suite = write_suite(tmp_path, generation=SHORT, schema=schema, cases=case)
    finished = jsonbreak("run", suite, "--out", tmp_path, "--device", "cpu", "--grammar", "outlines_core")
    assert finished.returncode == 0, finished.stderr
    why = "'format' at /properties/name/format"
    assert "No constrained arm: outlines_core" in finished.stderr
    assert why in " ".join(finished.stderr.split())
    for record in records_of(finished):
        assert record["free"]["text"]
        assert record["constrained"]["finish"] == "error"
        assert record["constrained"]["verdict"] is None
        assert why in record["constrained"]["error"]


@pytest.mark.model
@pytest.mark.usefixtures("shared_model")
def test_inputs_that_are_empty_or_longer_than_the_context(tmp_path: Path, jsonbreak: Command) -> None:
    cases = f'[[case]]\nid = "empty"\ninput = ""\n[[case]]\nid = "long"\ninput = "{"word " * 20_000}"\n'
    suite = write_suite(tmp_path, generation=SHORT, cases=cases)
    finished = jsonbreak("run", suite, "--out", tmp_path, "--device", "cpu")
    assert finished.returncode == 0, finished.stderr
    records = {record["case"]: record for record in records_of(finished)}
    assert records["empty"]["free"]["error"] is None
    assert records["long"]["free"]["finish"] == "error"
    assert "the model's context holds 8,192" in records["long"]["free"]["error"]
    assert "1/1" in finished.stderr or "0/1" in finished.stderr, "the reply that was not decoded counts in no share"


@pytest.mark.model
@pytest.mark.usefixtures("shared_model")
def test_ctrl_c_keeps_what_is_finished_and_the_rest_is_run_when_asked(tmp_path: Path, jsonbreak: Command) -> None:
    cases = numbered_cases(300)
    suite = write_suite(tmp_path, cases=cases, generation="max_new_tokens = 12")
    options = ["--out", tmp_path / "out", "--device", "cpu"]
    with process("run", suite, *options, "--batch", 2, "--limit", 8) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        next(line for line in child.stderr if line.startswith("small/naive/c"))  # a job has finished
        child.send_signal(signal.SIGINT)
        stderr, stdout = child.stderr.read(), child.stdout.read()
    assert child.returncode == 130, stderr
    assert "Stopped after" in stderr
    assert "Traceback" not in stderr
    folder = Path(stdout.strip())
    manifest = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert manifest["stopped"] is True
    assert 0 < manifest["done"] == len(list(read_records(folder))) < 8
    finished = jsonbreak("run", suite, *options, "--resume", "last")
    assert finished.returncode == 0, finished.stderr
    assert Path(finished.stdout.strip()) == folder
    assert sorted(record.case for record in read_records(folder)) == [f"c{number}" for number in range(8)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "nowhere.toml"), "nowhere.toml"),
        (("run", "."), "."),
        (("run", "bad.toml"), "bad.toml, line 2"),
        (("run", "small.toml", "--prompt", "naïve"), "naive"),
        (("run", "small.toml", "--case", "alise"), "alice"),
        (("run", "small.toml", "--limit", "0"), "--limit"),
        (("run", "small.toml", "--batch", "0"), "--batch"),
        (("run", "small.toml", "--grammar", "outlines"), "'outlines_core', 'llguidance'"),
        ((".", "--batch", "many"), "--batch"),
        (("run", "small.toml", "--out", "small.toml/runs"), "name another folder with --out"),
        (("run", "small.toml", "--frobnicate"), "--frobnicate"),
        (("run", "small.toml", "--adapter", "nowhere"), "--adapter: nowhere is not there; name an adapter's folder."),
        (("run", "small.toml", "--resume", "last"), "runs: there are no runs here; name the folder of a run."),
        (("run", "small.toml", "--resume", "nope"), "no such run; nor is there any in runs: name the folder of a run"),
        (("run", "small.toml", "--resume", "last", "--limit", "1"), "leave them out"),
        (("check", "bad.toml"), "bad.toml, line 2"),
        (("check", "empty-folder"), "no suites"),
        (("variations", "bad.toml"), "bad.toml, line 2"),
        (("variations", "small.toml", "--show", "alise"), 'did you mean "alice"?'),
        (("variations", "--show", "alice"), "--show needs a suite"),
        (("rnu", "small.toml"), "rnu"),
        (("x" * 300,), "xxx: File name too long; check the name."),
        (("show", "x" * 300), "xxx: File name too long; check the name."),
        (("run", "small.toml", "--resume", "x" * 300), "xxx: File name too long; check the name."),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], said: str, jsonbreak: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_suite(tmp_path)
    (tmp_path / "bad.toml").write_text('name = "bad"\nname = "again"\n', encoding="utf-8")
    (tmp_path / "empty-folder").mkdir()
    monkeypatch.chdir(tmp_path)
    refused = jsonbreak(*arguments)
    assert refused.returncode == 2, refused.stderr
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""


def test_an_unusable_model_is_bad_input(tmp_path: Path) -> None:
    finished = finished_process("run", write_suite(tmp_path), "--model", tmp_path / "no-such-model", "--out", tmp_path)
    assert finished.returncode == 2, finished.stderr
    assert "no-such-model" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_check_accepts_the_suites_that_come_with_the_program(jsonbreak: Command) -> None:
    finished = jsonbreak("check")
    assert finished.returncode == 0, finished.stderr
    assert "people.toml: ok" in finished.stdout


def test_the_grammars_offered_are_those_the_engine_knows() -> None:
    assert get_args(GrammarKind) == GRAMMARS


def test_variations_are_listed_counted_and_shown(tmp_path: Path, jsonbreak: Command) -> None:
    suite = write_suite(tmp_path, schema=f'[variations]\nuse = ["typos"]\n{PERSON_SCHEMA}')
    alone, counted, shown = (jsonbreak("variations", *args).stdout for args in ((), (suite,), (suite, "--show", "bob")))
    assert "typos\n    Swaps two letters" in alone
    assert "typos  (0 of 2 cases, used)\n" in counted
    assert "html  (2 of 2 cases)\n" in counted
    assert shown.startswith("as it is:\n    Bob is 25.\nupper-case:\n    Bob IS 25.\n")
    assert "typos:" not in shown


def test_help_and_version_are_quick_to_import() -> None:
    """Neither torch nor the interface is imported for the small commands."""
    code = "import sys, engine.cli.main; print(*sys.modules)"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "textual", "pydantic"} & set(finished.stdout.split())
