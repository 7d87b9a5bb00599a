"""STUB"""

from __future__ import annotations

from typing import Any
from engine.backends import Backend


class ServerBackend:
    @classmethod
    def connect(cls, spec: Any, emit: Any) -> Backend[Any]:
        raise NotImplementedError
