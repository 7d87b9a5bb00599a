"""The memory that a model takes, the device that it goes to, and its precision."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

from engine.models.model import ModelError
from engine.models.placement import choose_device, choose_dtype, device_map, weight_bytes, weight_files
from engine.records import Message
from tests.models.loading import load, refusal

HELLO: list[Message] = [{"role": "user", "content": "hello world"}]
NO_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")


def test_too_little_memory_is_found_before_loading(tiny: Path) -> None:
    """A file that claims (and, being sparse, has) four times the weights that fit into this machine."""
    count = psutil.virtual_memory().total
    header = {"lm_head.weight": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}}
    packed = json.dumps(header).encode()
    with (tiny / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(packed)) + packed)
        file.truncate(8 + len(packed) + 4 * count)
    started = time.monotonic()
    assert f"tiny needs {4 * count / 1e9:.1f} GB for its weights, and " in refusal(tiny)
    assert time.monotonic() - started < 30
    assert f"tiny needs {2 * count / 1e9:.1f} GB for its weights" in refusal(tiny, dtype="bfloat16")


def test_the_memory_that_weights_take(tiny: Path) -> None:
    for dtype in (torch.float32, torch.bfloat16):
        model = AutoModelForCausalLM.from_pretrained(tiny, dtype=dtype)
        taken = sum(weight.numel() * weight.element_size() for weight in model.parameters())
        assert weight_bytes(weight_files(tiny), dtype) == taken
    save_file({"a": torch.zeros(10, dtype=torch.int8), "b": torch.zeros(10)}, tiny / "model.safetensors")
    assert weight_bytes(weight_files(tiny), torch.bfloat16) == 10 + 20


@NO_CUDA
def test_a_gpu_that_is_not_there(tiny: Path) -> None:
    for device in ("cuda", "cuda:7"):
        assert refusal(tiny, device=device).startswith(f"--device {device}: there is no CUDA GPU that torch can use")


class TwoGpus:
    """What torch would say of two GPUs with 10 and 20 GB free; there is no such machine to test on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        monkeypatch.setattr(torch.cuda, "mem_get_info", self.free)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a GPU")

    def free(self, device: torch.device | int) -> tuple[int, int]:
        number = device if isinstance(device, int) else device.index or 0
        return (10_000_000_000 * (number + 1), 40_000_000_000)


@pytest.mark.parametrize(
    ("asked", "gigabytes", "expected"),
    [
        ("auto", 8, {"": torch.device("cuda")}),
        ("auto", 9, "auto"),  # it would fit on the first, but leave no room for caches
        ("cuda", 25, "auto"),
        ("cuda", 31, "m needs 31.0 GB for its weights, and 30.0 GB is free on 2 GPUs"),
        ("cuda:1", 19, {"": torch.device("cuda:1")}),
        ("cuda:1", 25, "m needs 25.0 GB for its weights, and 20.0 GB is free on a GPU"),
        ("cuda:2", 1, "--device cuda:2: there is no such GPU here; the last one is cuda:1."),
    ],
)
def test_which_gpus_a_model_goes_to(
    asked: str, gigabytes: int, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    TwoGpus(monkeypatch)
    try:
        found: object = device_map("m", gigabytes * 1_000_000_000, asked, choose_device(asked))
    except ModelError as error:
        found = str(error).removesuffix(": take a smaller model, or a smaller --dtype (bfloat16).")
    assert found == expected


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu(tiny: Path) -> None:
    loaded = load(tiny, device="auto")
    assert (loaded.device, loaded.dtype) == (torch.device("cuda:0"), torch.bfloat16)
    assert "there is no such GPU here" in refusal(tiny, device="cuda:99")


@pytest.mark.parametrize("device", ["gpu", "cpu:1", "cuda:", "cuda:x", "mps:0", "", "\x1b"])
def test_a_device_that_is_none(tiny: Path, device: str) -> None:
    assert refusal(tiny, device=device).endswith(" is unknown: it takes auto, cpu, cuda, cuda:1 or mps.")


def test_a_precision_that_is_none(tiny: Path) -> None:
    assert refusal(tiny, dtype="int4") == "--dtype int4 is unknown: it takes auto, float32, bfloat16, float16."


def test_the_choice_of_precision() -> None:
    assert choose_dtype("auto", torch.device("cpu")) == torch.float32
    assert choose_dtype("auto", torch.device("cuda")) == torch.bfloat16
    assert choose_device("cpu") == torch.device("cpu")
