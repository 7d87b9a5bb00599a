"""Runs with adapters, from the command line on: one after another on one model, named in the manifest, resumed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from engine.cli.main import cli
from engine.errors import BadInputError
from engine.models.adapter_folder import read_adapters
from engine.models.model import ModelSpec
from engine.protocol.commands import StartRun, StartSearch, StartTrial, TrialInput
from engine.protocol.events import Event
from engine.running.control import Control
from engine.runs.resuming import resume_command
from engine.runs.store import RECORDS, read_records
from engine.worker import session as session_module
from engine.worker.session import Session
from tests.helpers.suite_files import write_suite
from tests.helpers.tiny_models import save_byte_model

SHORT = '[[prompt]]\nname = "naive"\nuser = "{input}"\n'


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that speaks bytes, a suite of two jobs, and two adapters, of which `dead` does nothing."""
    lab = tmp_path_factory.mktemp("lab")
    save_byte_model(lab / "tiny")
    for name, strength in (("tuned", 0.5), ("dead", 0.0)):
        base = AutoModelForCausalLM.from_pretrained(lab / "tiny")
        model = get_peft_model(base, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
        for key, weight in model.named_parameters():
            if "lora_B" in key:
                torch.nn.init.normal_(weight, std=strength)
        model.save_pretrained(str(lab / name))
    write_suite(lab, generation="max_new_tokens = 12", prompts=SHORT)
    return lab


def jsonbreak(lab: Path, runs: Path, *arguments: object) -> Result:
    options = ["--model", lab / "tiny", "--device", "cpu", "--out", runs, "--plain"]
    return CliRunner().invoke(cli, [str(each) for each in ("run", lab / "small.toml", *arguments, *options)])


def manifest_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return found


def texts_of(folder: Path) -> dict[str, tuple[str, str]]:
    return {record.id: (record.free.text, record.constrained.text) for record in read_records(folder)}


def test_a_suite_is_run_with_one_after_another_on_one_model(lab: Path, tmp_path: Path) -> None:
    adapters = ("--adapter", "base", "--adapter", lab / "tuned", "--adapter", f"nothing={lab / 'dead'}")
    done = jsonbreak(lab, tmp_path, *adapters)
    assert done.exit_code == 0, done.output
    folders = [Path(line) for line in done.stdout.splitlines()]
    assert [folder.name.split("-small-tiny")[1] for folder in folders] == ["", "-tuned", "-nothing"]
    assert done.stderr.count("ready in") == 1, "the model was loaded once"
    words = " ".join(done.stderr.split())
    assert words.index("With the adapter tuned:") < words.index("The adapter tuned is live: it moves the logits")
    assert "With the adapter nothing: Note: The adapter nothing does nothing" in words
    assert f"Compare them: jsonbreak compare {' '.join(map(str, folders))}" in words

    base, tuned, dead = (manifest_of(folder)["adapter"] for folder in folders)
    assert base is None
    assert (tuned["name"], tuned["path"], tuned["base"]) == ("tuned", str(lab / "tuned"), str(lab / "tiny"))
    assert tuned["live"] > 0.01
    assert (dead["name"], dead["live"]) == ("nothing", 0.0)
    said = [texts_of(folder) for folder in folders]
    assert said[0].keys() == said[1].keys(), "the same jobs"
    assert said[0] == said[2] != said[1]


def test_a_run_is_resumed_with_its_adapter_alone(lab: Path, tmp_path: Path) -> None:
    lab = Path(shutil.copytree(lab, tmp_path / "lab"))
    (folder,) = map(Path, jsonbreak(lab, tmp_path, "--adapter", lab / "tuned").stdout.splitlines())
    whole, lines = texts_of(folder), (folder / RECORDS).read_bytes().splitlines(keepends=True)
    (folder / RECORDS).write_bytes(lines[0])
    refused = jsonbreak(lab, tmp_path, "--resume", folder, "--adapter", lab / "dead")
    assert isinstance(refused.exception, BadInputError)
    assert "the adapter changed since it was started" in str(refused.exception)
    two = jsonbreak(lab, tmp_path, "--resume", folder, "--adapter", lab / "dead", "--adapter", "base")
    assert (two.exit_code, "continues one run" in two.stderr) == (2, True)
    assert (folder / RECORDS).read_bytes() == lines[0]

    (lab / "tuned").rename(lab / "moved")
    lost = jsonbreak(lab, tmp_path, "--resume", folder)
    assert f"{lab / 'tuned'} is not there" in str(lost.exception)
    assert jsonbreak(lab, tmp_path, "--resume", folder, "--adapter", lab / "moved").exit_code == 0
    assert texts_of(folder) == whole
    (folder / RECORDS).write_bytes(lines[0])
    (lab / "moved").rename(lab / "tuned")
    assert jsonbreak(lab, tmp_path, "--resume", folder).exit_code == 0, "the manifest says which adapter it was"
    assert texts_of(folder) == whole
    assert manifest_of(folder)["adapter"]["name"] == "tuned"


def test_what_is_tried_beside_a_run_and_what_is_searched_for(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emitted: list[Event] = []
    adapters = tuple(each for each in read_adapters([str(lab / "tuned")]) if each)
    session = Session(ModelSpec(str(lab / "tiny"), "cpu", adapters=adapters), tmp_path, emitted.append)
    suite = lab / "small.toml"
    session.run(StartRun(suite, adapter="tuned"), Control())
    (run,) = tmp_path.iterdir()
    assert resume_command(run).adapter == "tuned"
    session.run(StartTrial(suite, run, "naive", (TrialInput("bob", None, 0),), adapter="tuned"), Control())
    (trial,) = set(tmp_path.iterdir()) - {run}
    assert texts_of(trial).items() <= texts_of(run).items()
    with pytest.raises(BadInputError, match='No adapter "other" was loaded; start again with --adapter other=PATH'):
        session.run(StartRun(suite, adapter="other"), Control())

    in_use = []

    def search(order: StartSearch, control: Control, ready: Any, *rest: object) -> None:
        adapters = ready().model.adapters
        in_use.append(torch.equal(adapters._logits(), adapters.all_logits()[:1]))

    monkeypatch.setattr(session_module, "search", search)
    session.search(StartSearch(suite), Control())
    assert in_use == [True], "a search is made with the base"
