from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's folder is the current one, so that sentences name its files alone."""
    monkeypatch.chdir(tmp_path)
