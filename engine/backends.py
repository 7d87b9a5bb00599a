"""What decodes jobs, as a run sees it: a model on this machine (engine.decoding) or a server (engine.servers)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from engine.happenings import Happening
from engine.models.adapter_folder import AdapterInUse
from engine.running.constraints import Holding
from engine.suites.jobs import Job

if TYPE_CHECKING:
    from engine.protocol.events import GrammarKind, Loading
    from engine.suites.tables import Generation

Held = TypeVar("Held", bound=Holding)


class Decoder(Protocol):
    """Decodes the jobs that were queued with it. Call `step` until `busy` is false, then `close`."""

    @property
    def busy(self) -> bool:
        """Whether anything waits or runs."""

    @property
    def in_flight(self) -> int:
        """Jobs that are being decoded."""

    def prefer(self, id: str) -> None:
        """Decode a job next, if it still waits."""

    def cancel(self, id: str) -> bool:
        """Drop a job, whether it waits or runs; False if it does neither."""

    def step(self) -> Iterator[Happening]:
        """What happens next, for as long as a moment. Raises EngineError where nothing more can be decoded."""

    def close(self) -> None:
        """Let go of all that still waits and runs."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A decoder with its requests queued, and what cannot be decoded: the reason by job id, for both arms or one.

    tokens: how long each job's prompt is, by its id, those that cannot be decoded included; empty on a server.
    slots: the most rows at once; None where the model's layers allow one job at a time only, and on a server.
    remarks: what is to be known before the results are read, in sentences.
    """

    decoder: Decoder
    impossible: Mapping[str, str]
    unconstrained: Mapping[str, str]
    tokens: Mapping[str, int]
    slots: int | None
    remarks: tuple[str, ...] = ()


class Backend(Protocol[Held]):
    """A model that answers.

    name: as runs are named by it. device, precision: where it is and what its weights are, in a word each.
    no_search: why no search can be made with it, None where one can.
    """

    name: str
    device: str
    precision: str
    no_search: str | None

    def use_adapter(self, name: str | None) -> AdapterInUse | None:
        """Answer with an adapter from now on, or with the model alone. Raises BadInputError for one it has not."""

    def grammar(
        self, schema: Mapping[str, Any], seconds: float, report: Callable[[Loading], None], kind: GrammarKind = "auto"
    ) -> Held:
        """What holds replies to a schema, made once, in at most `seconds`. Raises GrammarError: why there is none."""

    def plan(
        self,
        jobs: Sequence[Job],
        grammar_of: Callable[[Job], Held | None],
        generation: Generation,
        batch: int | None = None,
    ) -> Plan:
        """Queue the jobs that can be decoded, in order. batch: at most so many rows at once."""

    def describe(self) -> dict[str, Any]:
        """What the manifest says of it, beside its name, device and precision."""
