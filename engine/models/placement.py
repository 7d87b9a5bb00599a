"""On which device a model goes, in which precision, and whether it fits there."""

from __future__ import annotations

import contextlib
import json
import math
from pathlib import Path
from typing import Any

import psutil
import torch

from engine.models.loading import ModelError, first_sentence, gigabytes
from engine.text import printable

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_HEADROOM = 1.2
"""A single GPU is used if its free memory is this many times the weights: the rest is for KV caches, activations."""


def choose_device(asked: str) -> torch.device:
    """The device for `auto`, `cpu`, `cuda`, `cuda:1` or `mps`. Raises ModelError if there is no such device."""
    if asked == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind, _, number = asked.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (":" in asked and not (kind == "cuda" and number.isdecimal())):
        raise ModelError(f"--device {printable(asked)} is unknown: it takes auto, cpu, cuda, cuda:1 or mps.")
    if kind == "cuda" and not torch.cuda.is_available():
        built = "" if torch.version.cuda or torch.version.hip else ", and this torch is built without CUDA"
        raise ModelError(f"--device {asked}: there is no CUDA GPU that torch can use here{built}.")
    if number and int(number) >= torch.cuda.device_count():
        last = torch.cuda.device_count() - 1
        raise ModelError(f"--device {asked}: there is no such GPU here; the last one is cuda:{last}.")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise ModelError("--device mps: this machine has no Apple GPU that torch can use.")
    return torch.device(asked)


def choose_dtype(asked: str, device: torch.device) -> torch.dtype:
    """The precision of the weights. `auto`: float32 on a CPU, where it is exact and no slower; bfloat16 on a GPU.

    Apple's GPUs take bfloat16 since macOS 14; before that they get float32, as float16 overflows in models trained in
    bfloat16.
    """
    if asked == "auto":
        old_mac = device.type == "mps" and not torch.backends.mps.is_macos_or_newer(14, 0)
        return torch.float32 if device.type == "cpu" or old_mac else torch.bfloat16
    if asked not in DTYPES:
        raise ModelError(f"--dtype {printable(asked)} is unknown: it takes auto, {', '.join(DTYPES)}.")
    return DTYPES[asked]


def weight_files(folder: Path) -> list[Path]:
    """The files that transformers will read the weights from. Raises ModelError if one is missing, or all are."""
    for single, index in (
        ("model.safetensors", "model.safetensors.index.json"),
        ("pytorch_model.bin", "pytorch_model.bin.index.json"),
    ):
        if (folder / single).is_file():
            return [folder / single]
        if (folder / index).is_file():
            try:
                names = sorted(set(json.loads((folder / index).read_bytes())["weight_map"].values()))
            except (ValueError, KeyError, AttributeError, TypeError) as error:
                raise ModelError(f"{folder / index} is damaged: it has no list of weight files.") from error
            missing = [name for name in names if not (folder / name).is_file()]
            if missing:
                raise ModelError(f"{folder} lacks {len(missing)} of {len(names)} weight files, {missing[0]} first.")
            return [folder / name for name in names]
    raise ModelError(f"{folder} has no weights: neither model.safetensors nor its parts, nor pytorch_model.bin.")


def weight_bytes(files: list[Path], dtype: torch.dtype) -> int:
    """How many bytes the weights take in memory in a dtype, from the headers of safetensors files.

    Other formats count as on disk, and so do weights that are not floating-point (quantised ones).
    Raises ModelError for a damaged file.
    """
    total = 0
    for file in files:
        if file.suffix == ".safetensors":
            for tensor in _header(file).values():
                total += math.prod(tensor["shape"]) * _item_bytes(tensor["dtype"], dtype)
        else:
            total += file.stat().st_size
    return total


def _header(file: Path) -> dict[str, Any]:
    """The tensors of a safetensors file: 8 bytes with the length of a JSON object, that object, then the weights.

    (https://github.com/huggingface/safetensors, "Format".) The library's own reader maps the whole file, which is
    refused where memory is short: exactly the case that this is to detect.
    """
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            if length > file.stat().st_size:
                raise ValueError("its header is not one of a safetensors file")
            header: dict[str, Any] = json.loads(opened.read(length))
        header.pop("__metadata__", None)
        end = 8 + length + max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
        if end != file.stat().st_size:
            raise ValueError(f"it should have {end} bytes, and has {file.stat().st_size}")
        return header
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ModelError(f"{file} is damaged: {first_sentence(error)}.") from error


def _item_bytes(stored: str, dtype: torch.dtype) -> int:
    """Bytes of one weight after loading. `stored` is safetensors' name of its type: F32, BF16, I8, F8_E4M3 …"""
    if stored in ("F64", "F32", "F16", "BF16"):
        return dtype.itemsize
    return max(1, int("".join(c for c in stored.partition("_")[0] if c.isdigit()) or 8) // 8)


def device_map(name: str, needed: int, asked: str, device: torch.device) -> dict[str, torch.device] | str | None:
    """Where the weights go, as transformers takes it; None is the CPU.

    "auto" (accelerate spreads them) only if the user named no GPU, there are several, and none of them is large enough
    alone. Raises ModelError if `needed` bytes are more than what is free.
    """
    if device.type != "cuda":
        free = free_memory(device)
        if needed > free:
            raise ModelError(_too_little(name, needed, free, "of memory is free"))
        return None if device.type == "cpu" else {"": device}
    free = torch.cuda.mem_get_info(device)[0]
    if needed * _HEADROOM > free and ":" not in asked and torch.cuda.device_count() > 1:
        together = sum(torch.cuda.mem_get_info(number)[0] for number in range(torch.cuda.device_count()))
        if needed > together:
            raise ModelError(_too_little(name, needed, together, f"is free on {torch.cuda.device_count()} GPUs"))
        return "auto"
    if needed > free:
        raise ModelError(_too_little(name, needed, free, f"is free on {torch.cuda.get_device_name(device)}"))
    return {"": device}


def free_memory(device: torch.device) -> int:
    """Free bytes where the KV cache goes; on a CPU no more than the process's control group allows."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    free = int(psutil.virtual_memory().available)
    for group in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/memory")):  # version 2, version 1
        for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            with contextlib.suppress(OSError, ValueError):  # "max": no limit
                free = min(free, int((group / limit).read_text()) - int((group / used).read_text()))
    return max(0, free)


def out_of_memory(error: RuntimeError) -> bool:
    """Whether an error means that the device is out of memory; for a CPU PyTorch has no class of its own."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator: can't allocate memory" in str(error)


def _too_little(name: str, needed: int, free: int, where: str) -> str:
    return (
        f"{name} needs {gigabytes(needed)} for its weights, and {gigabytes(free)} {where}: "
        "take a smaller model, or a smaller --dtype (bfloat16)."
    )
