from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.helpers.tiny_models import save_model, save_tokenizer


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "tiny"
    save_model(folder)
    save_tokenizer(folder)
    return folder


@pytest.fixture
def tiny(whole: Path, tmp_path: Path) -> Path:
    """A tiny model that a test may damage."""
    return Path(shutil.copytree(whole, tmp_path / "tiny"))
