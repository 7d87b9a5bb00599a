"""What a server turned out to do, when it was asked at connect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.servers.forks import Weighing
from engine.servers.forms import Form

TOP = 10
"""How many favourites are asked for at each token."""

LOGPROBS = {"logprobs": True, "top_logprobs": TOP}
TOKEN_IDS = {"return_token_ids": True}  # vLLM's


@dataclass(frozen=True, slots=True)
class Traits:
    """limit: its name for the most tokens of a reply. extras: what is asked for with each request beside the reply.

    form: the one that holds replies to a schema, None where none does. failures: what came of the others, in words.
    weighing: of constrained replies, see forks. together: whether it answers two requests at once.
    """

    limit: str = "max_tokens"
    extras: Mapping[str, Any] = field(default_factory=dict)
    form: Form | None = None
    failures: tuple[str, ...] = ()
    weighing: Weighing = "none"
    together: bool = True

    def describe(self) -> dict[str, Any]:
        """For the manifest."""
        return {"form": self.form.name if self.form else None, "failures": self.failures, "weighing": self.weighing}
