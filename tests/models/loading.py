"""A model loaded on the CPU, or the sentence with which it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import BadInputError
from engine.models.model import LoadedModel, ModelSpec, load_model


def load(folder: Path | str, **spec: Any) -> LoadedModel:
    return load_model(ModelSpec(str(folder), **{"device": "cpu", **spec}), lambda event: None)


def refusal(folder: Path | str, **spec: str) -> str:
    """The sentence with which a model is refused."""
    with pytest.raises(BadInputError) as caught:
        load(folder, **spec)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    return str(caught.value)
