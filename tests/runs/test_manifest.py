"""What a manifest says about prompts and the command line; and which differences make it another run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.errors import BadInputError
from engine.protocol.commands import StartRun
from engine.running.describe import prompt_sha256
from engine.runs.command_line import HIDDEN, command_line, export_command_line, without_secrets
from engine.runs.reading import RunFolder
from engine.runs.resuming import resume_command, resumed_adapters, resumed_manifest
from engine.runs.store import create_run
from engine.suites.suite import load_suite
from engine.suites.tables import Prompt
from tests.helpers.suite_files import write_suite

ADAPTER = {"name": "tuned", "path": "out", "sha256": "aa" * 32, "base": "smol", "live": 3.5, "remarks": []}
RECORDED: dict[str, Any] = {
    "jsonbreak": "0.1.0",
    "suite": "people",
    "suite_file": "people.toml",
    "suite_sha256": "bb" * 32,
    "schema": {"type": "object"},
    "prompts": [{"name": "naive", "user": "{input}"}],
    "variations": {"use": []},
    "compare": {},
    "generation": {"seed": 0, "temperature": 0.0},
    "selection": {"prompts": [], "cases": [], "limit": None, "without": []},
    "trial_of": None,
    "model": "smol",
    "server": None,
    "device": "cpu",
    "dtype": "float32",
    "whitespace_pattern": "[ ]?",
    "grammars": [],
    "versions": {"torch": "2.13.0", "outlines": "1.3.3"},
    "batch": 8,
    "started": "2026-01-01T10:00:00+00:00",
}
RECORDED_SINCE: dict[str, Any] = {
    "model_sha256": "cc" * 32,
    "tokenizer_sha256": "dd" * 32,
    "chat_template_sha256": "ee" * 32,
    "attention": "sdpa",
    "device_name": "AMD EPYC",
    "adapter": ADAPTER,
    "versions": {"torch": "2.13.0", "outlines": "1.3.3", "cuda": "13.0", "driver": "580.65.06"},
}
NEW = RECORDED | RECORDED_SINCE


def stored(tmp_path: Path, manifest: dict[str, Any]) -> Path:
    store = create_run(tmp_path, "people", "smol", manifest)
    store.close(ended="2026-01-01T10:00:05+00:00", done=1, cancelled=0, stopped=True, rates={"free": {}})
    return store.folder


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"jsonbreak": "0.2.0"}, "the version of jsonbreak"),
        ({"suite_sha256": ""}, "the suite's file"),
        ({"schema": {}}, "the schema"),
        ({"prompts": []}, "the prompts"),
        ({"generation": {"seed": 1, "temperature": 0.0}}, "the generation settings"),
        ({"selection": {}}, "which of its jobs are run"),
        ({"model": "qwen"}, "the model"),
        ({"model_sha256": ""}, "the files of the model"),
        ({"tokenizer_sha256": ""}, "the files of its tokenizer"),
        ({"chat_template_sha256": ""}, "its chat template"),
        ({"adapter": {**ADAPTER, "sha256": ""}}, "the adapter"),
        ({"adapter": None}, "the adapter"),
        ({"device": "cuda"}, "the device"),
        ({"device_name": "NVIDIA H100"}, "the processor or GPU"),
        ({"dtype": "bfloat16"}, "the number format"),
        ({"attention": "eager"}, "the attention implementation"),
        ({"whitespace_pattern": "[ ]*"}, "the whitespace that the grammar allows"),
        ({"versions": {**NEW["versions"], "torch": "2.14.0"}}, "the version of torch"),
        ({"versions": {**NEW["versions"], "driver": None}}, "the version of driver"),
        ({"model_sha256": "", "attention": "eager"}, "the files of the model, the attention implementation"),
    ],
)
def test_a_run_that_would_be_another_is_refused_with_the_reason(tmp_path: Path, change: Any, words: str) -> None:
    folder = stored(tmp_path, NEW)
    reason = f"cannot be resumed: {words} changed since it was started; resume it with the same, or start a new run."
    with pytest.raises(BadInputError) as refused:
        resumed_manifest(folder, NEW | change)
    assert str(refused.value) == f"{folder}: it {reason}"


def test_what_changes_no_reply_is_no_reason(tmp_path: Path) -> None:
    """The size of the batch, where the adapter's files are, what it is called here, when."""
    folder = stored(tmp_path, NEW)
    moved = {**ADAPTER, "name": "other", "path": "elsewhere", "live": 3.4999}
    at = "2026-01-02T10:00:00+00:00"
    found = resumed_manifest(
        folder, NEW | {"adapter": moved, "batch": 2, "started": at, "command_line": ["jsonbreak", "run"]}
    )
    assert found == NEW | {"batch": 2, "resumed": [at]}, "facts about its end no longer hold"
    again = create_run(tmp_path, "people", "smol", found).folder
    assert resumed_manifest(again, NEW | {"started": "later"})["resumed"] == [at, "later"]


def test_what_an_older_run_does_not_record_is_taken_to_be_the_same(tmp_path: Path) -> None:
    folder = stored(tmp_path, RECORDED)
    found = resumed_manifest(folder, NEW | {"adapter": None})
    assert found.keys() - RECORDED.keys() == {"resumed"}, "what was not looked at then is not claimed now"
    with pytest.raises(BadInputError, match="the adapter changed"):
        resumed_manifest(folder, NEW)
    served: dict[str, Any] = {"name": "tuned", "path": None, "sha256": None, "base": None, "live": None, "remarks": []}
    on_server = stored(tmp_path, NEW | {"adapter": served})
    assert resumed_manifest(on_server, NEW | {"adapter": served})["adapter"] == served
    for other in (None, {**served, "name": "other"}, ADAPTER):
        with pytest.raises(BadInputError, match="the adapter changed"):
            resumed_manifest(on_server, NEW | {"adapter": other})
    with pytest.raises(BadInputError, match="the version of outlines changed"):
        resumed_manifest(folder, NEW | {"adapter": None, "versions": {"torch": "2.13.0", "cuda": None}})


def test_the_command_that_resumes_a_run_names_the_adapter(tmp_path: Path) -> None:
    folder = stored(tmp_path, NEW)
    assert resume_command(folder) == StartRun(Path("people.toml"), resume=folder, adapter="tuned")
    assert resumed_adapters(folder) == ("tuned=out",)
    without = stored(tmp_path, RECORDED)
    assert resume_command(without).adapter is None
    assert resumed_adapters(without) == ()
    assert RunFolder(without).manifest.adapter is None


def test_prompts_that_ask_the_same_have_the_same_hash(tmp_path: Path) -> None:
    (naive,) = load_suite(write_suite(tmp_path)).prompts
    renamed = naive.model_copy(update={"name": "other", "about": "of the library", "source": "a paper"})
    assert prompt_sha256(naive) == prompt_sha256(renamed)
    changes: list[dict[str, Any]] = [{"user": "{input}!"}, {"system": ""}, {"prefill": "{"}, {"json_schema": {}}]
    for change in changes:
        assert prompt_sha256(naive.model_copy(update=change)) != prompt_sha256(naive)
    assert len({prompt_sha256(Prompt(name="a", user="{input}", system=text)) for text in ("x", "y", None)}) == 3


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (["--api-key", "sk-123", "--limit", "3"], ["--api-key", HIDDEN, "--limit", "3"]),
        (["--token=abc", "--HF-Token", "abc"], [f"--token={HIDDEN}", "--HF-Token", HIDDEN]),
        (["--password", "--limit"], ["--password", HIDDEN]),
        (["--server", "https://me:word@host/v1?x"], ["--server", f"https://{HIDDEN}@host/v1?x"]),
        (["--api-key-env", "MY_KEY", "--max-new-tokens", "5"], ["--api-key-env", "MY_KEY", "--max-new-tokens", "5"]),
        (["--adapter", "token=out/", "suites/key.toml"], ["--adapter", "token=out/", "suites/key.toml"]),
    ],
)
def test_what_is_secret_is_not_kept(typed: list[str], shown: list[str]) -> None:
    assert without_secrets(typed) == shown


def test_a_command_line_is_as_it_was_typed_and_that_of_an_engine_is_its_interfaces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("JSONBREAK_COMMAND_LINE", raising=False)
    monkeypatch.setattr(sys, "argv", ["bin/jsonbreak", "suites", "--device", "cpu"])
    assert command_line() == ["jsonbreak", "suites", "--device", "cpu"]
    ask = "import sys; sys.argv[1:1] = sys.argv.pop().split(); from engine.runs.command_line import *;"
    ask += "import json; print(json.dumps(command_line()))"

    def of_child(arguments: str) -> Any:
        return json.loads(
            subprocess.run([sys.executable, "-c", ask, arguments], capture_output=True, check=True).stdout
        )

    assert of_child("worker --device cpu") == ["-c", "worker", "--device", "cpu"]
    monkeypatch.setenv("JSONBREAK_COMMAND_LINE", "")  # put back at the end of the test
    export_command_line()
    assert of_child("worker --device cpu") == ["jsonbreak", "suites", "--device", "cpu"]
    assert of_child("run suites/a.toml") == ["-c", "run", "suites/a.toml"], "a run from a shell in the interface"
    for damaged in ("", "[", "[]", "[1]", '{"a": 1}'):
        monkeypatch.setenv("JSONBREAK_COMMAND_LINE", damaged)
        assert of_child("worker") == ["-c", "worker"]
