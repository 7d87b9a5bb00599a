"""The machine that a model runs on, as it is described in the manifest."""

from __future__ import annotations

import contextlib
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import torch

_PATIENCE = 10.0  # seconds for nvidia-smi, which takes about one where the driver has to be woken
_CPUINFO = Path("/proc/cpuinfo")


def device_name(devices: Iterable[torch.device]) -> str:
    """The name of the processor or the GPUs, equal ones counted: `2 x NVIDIA H100 80GB HBM3`."""
    names = Counter(_name(device) for device in sorted(set(devices), key=str))
    return " and ".join(name if number == 1 else f"{number} x {name}" for name, number in names.items())


def gpu_versions(device: torch.device) -> dict[str, str | None]:
    """The versions of CUDA (of ROCm, where PyTorch was built for that) and of the driver; None without such a GPU."""
    if device.type != "cuda":
        return {"cuda": None, "driver": None}
    return {"cuda": torch.version.cuda or torch.version.hip, "driver": _driver()}


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    with contextlib.suppress(OSError):  # on Linux only, where platform.processor() returns nothing
        for line in _CPUINFO.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _driver() -> str | None:
    """From NVIDIA's own tool, which comes with the driver; PyTorch does not know the driver's version."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return next(iter(said.split()), None)
