"""What distinguishes a model's files from others, and the machine that it runs on."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from engine.models.fingerprints import Fingerprints, Hashing, chat_template_sha256, combined
from engine.models.machine import device_name, gpu_versions
from engine.models.model import ModelSpec, load_model
from engine.protocol.events import Loading
from tests.helpers import tiny_models as tiny

NAMES = ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JSONBREAK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    tiny.save_model(folder)
    tiny.save_tokenizer(folder)
    (folder / "README.md").write_text("No part of the model.")
    return folder


def tokenizer_of(folder: Path) -> PreTrainedTokenizerBase:
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    return tokenizer


def fingerprints(folder: Path, weights: Iterable[str] = ("model.safetensors",)) -> Fingerprints:
    with Hashing(folder, [folder / name for name in weights], tokenizer_of(folder)) as hashing:
        return hashing.result("hashing", lambda event: None)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_model_that_is_loaded_has_the_hashes_of_its_files(model: Path) -> None:
    """As sha256sum has them, which others can use to check a model."""
    found = load_model(ModelSpec(str(model), "cpu"), lambda event: None).fingerprints
    assert found is not None
    template = model / "chat_template.jinja"
    assert found.files.keys() - {template.name} == set(NAMES)
    assert dict(found.files) == {name: sha256(model / name) for name in found.files}
    for names, expected in ((NAMES[:3], found.model), (NAMES[3:], found.tokenizer)):
        command = f"sha256sum {' '.join(names)} | sha256sum"
        said = subprocess.run(["sh", "-c", command], cwd=model, capture_output=True, text=True, check=True).stdout
        assert said.split()[0] == expected
    assert found.chat_template == sha256(template)


def test_any_part_of_a_model_that_differs_changes_its_fingerprint(model: Path) -> None:
    before = fingerprints(model)
    tiny.edit_json(model / "config.json", rope_theta=5e5)
    config = fingerprints(model)
    assert (config.model != before.model, config.tokenizer == before.tokenizer) == (True, True)
    tiny.edit_json(model / "tokenizer_config.json", model_max_length=12)
    tokenizer = fingerprints(model)
    assert (tokenizer.model == config.model, tokenizer.tokenizer != config.tokenizer) == (True, True)
    assert tokenizer.chat_template == before.chat_template
    one = tokenizer_of(model)
    one.chat_template = f"{one.chat_template} "
    assert chat_template_sha256(one) != before.chat_template
    one.chat_template = {"default": "a", "tool": "b"}
    assert chat_template_sha256(one) == hashlib.sha256(b'{"default": "a", "tool": "b"}').hexdigest()


def test_a_file_is_hashed_once_and_again_when_it_was_written(model: Path) -> None:
    before = fingerprints(model)
    weights = model / "model.safetensors"
    stat, content = weights.stat(), weights.read_bytes()
    weights.write_bytes(bytes(len(content)))
    os.utime(weights, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert fingerprints(model) == before, "path, size and time of change are as they were: it was not read"
    os.utime(weights, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert fingerprints(model).files["model.safetensors"] == hashlib.sha256(bytes(len(content))).hexdigest()


@pytest.mark.parametrize("text", ["", "x" * 64, "\udce9"])
def test_a_note_that_is_damaged_or_cannot_be_kept_costs_time_alone(model: Path, cache: Path, text: str) -> None:
    before = fingerprints(model)
    notes = list((cache / "hashes").iterdir())
    assert len(notes) == len(before.files)
    for note in notes:
        note.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert fingerprints(model) == before
    for note in notes:
        note.unlink()
    (cache / "hashes").rmdir()
    (cache / "hashes").touch()
    assert fingerprints(model) == before


def test_the_hub_has_hashed_its_large_files_already(model: Path, tmp_path: Path) -> None:
    """There files are links to blobs: a large one is named by its SHA-256, a small one by a SHA-1."""
    (tmp_path / "blobs").mkdir()
    for name, blob in (("model.safetensors", "ab" * 32), ("config.json", "cd" * 20)):
        (model / name).rename(tmp_path / "blobs" / blob)
        (model / name).symlink_to(tmp_path / "blobs" / blob)
    found = fingerprints(model)
    assert found.files["model.safetensors"] == "ab" * 32
    assert found.files["config.json"] == sha256(model / "config.json")
    assert found.model == combined({name: found.files[name] for name in NAMES[:3]})


def test_what_is_left_to_hash_is_reported_and_dropped_when_it_is_not_needed(model: Path) -> None:
    with (model / "large.safetensors").open("wb") as large:
        large.truncate(8 << 40)  # an hour's work; it takes no space
    emitted: list[Loading] = []

    def give_up(event: Loading) -> None:
        emitted.append(event)
        if len(emitted) == 3:
            raise KeyboardInterrupt

    weights = [model / "large.safetensors"]
    with pytest.raises(KeyboardInterrupt), Hashing(model, weights, tokenizer_of(model)) as hashing:
        hashing.result("hashing", give_up)
    done = [event.done or 0 for event in emitted]
    assert done == sorted(done)
    assert 0 < done[-1] < (emitted[-1].total or 0)


def test_the_machine_has_a_name_and_without_a_gpu_no_versions_of_it() -> None:
    cpu = torch.device("cpu")
    assert device_name([cpu]).strip()
    assert device_name([cpu, cpu]) == device_name([cpu]), "several weights on one processor"
    assert gpu_versions(cpu) == {"cuda": None, "driver": None}


def test_the_driver_is_what_nvidias_tool_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the tool; where there is none, or it fails, the driver is not known."""
    tool = tmp_path / "nvidia-smi"
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for script, driver in (
        (
            '[ "$1 $2" = "--query-gpu=driver_version --format=csv,noheader" ] && printf "580.65.06\\n580.65.06\\n"',
            "580.65.06",
        ),
        ("echo no devices were found; exit 6", None),
    ):
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        assert gpu_versions(torch.device("cuda")) == {"cuda": torch.version.cuda, "driver": driver}
