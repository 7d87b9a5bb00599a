from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.faulty import FaultyServer


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    server = FaultyServer()
    yield server
    server.close()
