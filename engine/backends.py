"""The interface of whatever decodes jobs: a model on this machine (engine.decoding) or a server (engine.servers)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar

from engine.records import Arm, Fork
from engine.suites.jobs import Job
from engine.text import printable

if TYPE_CHECKING:
    from engine.protocol.commands import GrammarKind
    from engine.protocol.events import Loading
    from engine.suites.tables import Generation


# Events that a decoder yields


@dataclass(frozen=True, slots=True)
class Started:
    """A job was admitted to the batch. Emitted again if it is preempted."""

    id: str


@dataclass(frozen=True, slots=True)
class TokenAdded:
    """An arm took a token that is part of the reply."""

    id: str
    arm: Arm | Literal["both"]
    """"both" until the arms fork."""
    text: str


@dataclass(frozen=True, slots=True)
class ArmsForked:
    """The arms chose different tokens."""

    id: str
    fork: Fork


@dataclass(frozen=True, slots=True)
class ArmResult:
    """A finished arm."""

    text: str
    """The whole reply, its prefill included."""
    tokens: tuple[int, ...]
    """Without the stop token."""
    finish: Literal["stop", "length"]
    seconds: float
    """From the job's admission to the arm's last token."""
    p: tuple[float, ...] = ()
    """As in records.Reply, like `ends`."""
    ends: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """Both arms are finished."""

    id: str
    free: ArmResult | None
    """None where it could not be decoded, like `constrained`."""
    constrained: ArmResult | None
    fork: Fork | None
    error: str | None = None
    """Why there is no constrained reply, None where there was no grammar."""
    free_error: str | None = None
    """Why there is no free reply."""


@dataclass(frozen=True, slots=True)
class BatchHalved:
    """Memory ran out."""

    slots: int
    """The most rows of the batch from now on."""
    jobs: int
    """How many jobs start again."""


DecoderEvent: TypeAlias = Started | TokenAdded | ArmsForked | Finished | BatchHalved


# What constrains replies


class GrammarError(Exception):
    """The schema has no grammar. The message is one sentence."""


@dataclass(frozen=True, slots=True)
class Unenforced:
    """A keyword of the schema that the grammar accepts but does not enforce, or not completely."""

    keyword: str
    pointer: str
    """The JSON Pointer (RFC 6901) of the keyword in the schema."""
    reason: str
    """Begins with "it"."""

    @property
    def sentence(self) -> str:
        """For the user."""
        return printable(f"The grammar does not enforce {self.keyword!r} at {self.pointer}: {self.reason}.")


class Constraint(Protocol):
    """What constrains replies to a schema: a grammar on this machine, a form of request on a server."""

    @property
    def backend(self) -> str:
        """What made it, in a word."""

    @property
    def unenforced(self) -> tuple[Unenforced, ...]:
        """What it is known to leave to the judge."""


ConstraintT = TypeVar("ConstraintT", bound=Constraint)


# What decodes


class Queueable(Protocol):
    """A request that waits for its turn."""

    @property
    def id(self) -> str:
        """Of its job."""


RequestT = TypeVar("RequestT", bound=Queueable)


class RequestQueue(deque[RequestT]):
    """The pending requests of a decoder, in the order in which they will be started."""

    def prefer(self, id: str) -> None:
        """Move a request to the front, if it is pending."""
        for request in [request for request in self if request.id == id]:
            self.remove(request)
            self.appendleft(request)

    def cancel(self, id: str) -> bool:
        """Remove a request; False if it is not pending."""
        for request in [request for request in self if request.id == id]:
            self.remove(request)
            return True
        return False


class Decoder(Protocol):
    """Decodes the jobs that were queued with it. Call `step` until `busy` is false, then `close`."""

    @property
    def busy(self) -> bool:
        """Whether any job is pending or in flight."""

    @property
    def in_flight(self) -> int:
        """How many jobs are being decoded."""

    def prefer(self, id: str) -> None:
        """Decode a job next, if it is still pending."""

    def cancel(self, id: str) -> bool:
        """Drop a pending or running job; False if it is neither."""

    def step(self) -> Iterator[DecoderEvent]:
        """Decode without blocking for more than about 50 ms. Raises EngineError where nothing more can be decoded."""

    def close(self) -> None:
        """Cancel all pending and running jobs."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A decoder with its requests queued, and what cannot be decoded."""

    decoder: Decoder
    impossible: Mapping[str, str]
    """By job id, why neither arm can be decoded."""
    unconstrained: Mapping[str, str]
    """By job id, why the constrained arm cannot be decoded."""
    tokens: Mapping[str, int]
    """How many tokens each job's prompt has, by job id, impossible jobs included; empty on a server."""
    slots: int | None
    """The most rows at once; None where the model's layers allow one job at a time only, and on a server."""
    remarks: tuple[str, ...] = ()
    """Sentences to know before the results are read."""


@dataclass(frozen=True, slots=True)
class AdapterInUse:
    """What a run's manifest says of its adapter. A server reports the name and maybe the base; the rest is None."""

    name: str
    path: str | None
    sha256: str | None
    base: str | None
    """The model that it says it was trained on."""
    live: float | None
    """The largest absolute difference that it makes to the logits of a probe prompt; 0 is one that does nothing."""
    remarks: tuple[str, ...]
    """Sentences that the user should know about it."""


class Backend(Protocol[ConstraintT]):
    """A model that answers."""

    name: str
    """What its runs are named after."""
    device: str
    precision: str
    """The number format of its weights, in a word."""
    search_unavailable_reason: str | None
    """Why it cannot be searched with, None where it can."""

    def use_adapter(self, name: str | None) -> AdapterInUse | None:
        """Answer with an adapter from now on, or with the model alone. Raises BadInputError for an unknown one."""

    def grammar(
        self, schema: Mapping[str, Any], seconds: float, emit: Callable[[Loading], None], kind: GrammarKind = "auto"
    ) -> ConstraintT:
        """The constraint for a schema, made once, in at most `seconds`. Raises GrammarError where there is none."""

    def plan(
        self,
        jobs: Sequence[Job],
        grammar_of: Callable[[Job], ConstraintT | None],
        generation: Generation,
        batch: int | None = None,
    ) -> Plan:
        """Queue the jobs that can be decoded, in order. batch: the most rows at once."""

    def describe(self) -> dict[str, Any]:
        """What the manifest says of it, in addition to its name, device and precision."""
