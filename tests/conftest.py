"""What all tests share: no test reaches a model hub, and the built-in model is loaded once."""

from __future__ import annotations

import gc
import os

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports huggingface_hub, which reads it once
os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as engine.worker.start has it: tests run beside other processes
if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the cores, and threads of one that wait for each other would take them from the other. The engines
    # that tests start inherit it.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests.helpers import command

# The first example on a fresh machine builds tables of all characters, which is no fault of the test.
USUAL = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("usual", USUAL, max_examples=50)
settings.register_profile("release", USUAL, max_examples=400)
settings.load_profile("usual")

gc.set_threshold(100_000, 50, 100)  # passes over all that torch and Textual hold took a fifth of the time

if TYPE_CHECKING:
    from engine.models.model import LoadedModel, ModelSpec


@pytest.fixture(scope="session")
def builtin_model() -> LoadedModel:
    """The built-in model on the CPU, in float32. On a fresh machine this downloads and converts it."""
    from engine.models.model import ModelSpec, load_model  # takes seconds: only when a test needs it

    return load_model(ModelSpec(device="cpu"), emit=lambda event: None)


@pytest.fixture(scope="session")
def byte_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny random model that speaks bytes, for runs whose replies need not make sense."""
    from tests.helpers.tiny_models import save_byte_model

    folder = tmp_path_factory.mktemp("models") / "bytes"
    save_byte_model(folder)
    return folder


@pytest.fixture
def shared_model(builtin_model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> LoadedModel:
    """Sessions in this process have the built-in model at once. With adapters, or for a tune, it is loaded anew."""
    from engine.models import model

    load = model.load_model

    def load_or_share(spec: ModelSpec, emit: Any, **options: Any) -> LoadedModel:
        is_shared = spec == model.ModelSpec(device="cpu") and not options
        return builtin_model if is_shared else load(spec, emit, **options)

    monkeypatch.setattr(model, "load_model", load_or_share)
    return builtin_model


@pytest.fixture
def jsonbreak(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> command.Command:
    """Runs a command in this process; how it ended, as of a child process."""

    def run(*arguments: object) -> command.Finished:
        capfd.readouterr()
        code = command.jsonbreak(monkeypatch, *arguments)
        assert isinstance(code, int)
        return command.Finished([*map(str, arguments)], code, *capfd.readouterr())

    return run
