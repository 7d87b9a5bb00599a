"""What all tests share: no test reaches a model hub, and the built-in model is loaded once."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports huggingface_hub, which reads it once
os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as engine.worker.start has it: tests run beside other processes
if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the cores, and threads of one that wait for each other would take them from the other. The engines
    # that tests start inherit it.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

# The first example on a fresh machine builds tables of all characters, which is no fault of the test.
USUAL = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("usual", USUAL, max_examples=50)
settings.register_profile("release", USUAL, max_examples=400)
settings.load_profile("usual")

if TYPE_CHECKING:
    from engine.models.model import LoadedModel


@pytest.fixture(scope="session")
def builtin_model() -> LoadedModel:
    """The built-in model on the CPU, in float32. On a fresh machine this downloads and converts it."""
    from engine.models.model import ModelSpec, load_model  # takes seconds: only when a test needs it

    return load_model(ModelSpec(device="cpu"), emit=lambda event: None)
