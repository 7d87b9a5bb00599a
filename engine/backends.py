"""What decodes jobs, as a run sees it: a model on this machine (engine.decoding) or a server (engine.servers)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from engine.suites.jobs import Job

if TYPE_CHECKING:
    from engine.protocol.commands import GrammarKind
    from engine.protocol.events import Loading
    from engine.suites.tables import Generation


from typing import Literal, TypeAlias

from engine.records import Arm, Fork
from engine.text import printable


@dataclass(frozen=True, slots=True)
class AdapterInUse:
    """What a run says of its adapter.

    base: the model that it says it was trained on. live: the largest absolute difference that it makes to the logits of
    a probe prompt; 0 is an adapter that does nothing. remarks: what is worth knowing of it, a sentence each.
    A server tells the name of its adapters and maybe their base; the rest is None.
    """

    name: str
    path: str | None
    sha256: str | None
    base: str | None
    live: float | None
    remarks: tuple[str, ...]


class Constraint(Protocol):
    """What holds replies to a schema: a grammar here, a form of request on a server."""

    @property
    def backend(self) -> str:
        """What made it, in a word."""

    @property
    def unenforced(self) -> tuple[Unenforced, ...]:
        """What it is known to leave to the judge."""


class GrammarError(Exception):
    """The schema has no grammar. The message is one sentence."""


@dataclass(frozen=True, slots=True)
class Unenforced:
    """A keyword of the schema that the grammar accepts and does not enforce, or not all of it.

    `pointer` is the JSON Pointer (RFC 6901) of the keyword in the schema, `reason` begins with "it".
    """

    keyword: str
    pointer: str
    reason: str

    @property
    def sentence(self) -> str:
        """What to show."""
        return printable(f"The grammar does not enforce {self.keyword!r} at {self.pointer}: {self.reason}.")


@dataclass(frozen=True, slots=True)
class Started:
    """A request got its row. Told a second time when it has to start again, with a smaller batch."""

    id: str


@dataclass(frozen=True, slots=True)
class TokenAdded:
    """An arm, or both while they agree, took one token that is part of the reply."""

    id: str
    arm: Arm | Literal["both"]
    text: str


@dataclass(frozen=True, slots=True)
class ArmsForked:
    """The arms chose differently."""

    id: str
    fork: Fork


@dataclass(frozen=True, slots=True)
class ArmResult:
    """A finished arm: its whole text (prefill included), its tokens without the stop token, why it ended.

    seconds: from the job's admission to the arm's last token. p, ends: as in records.Reply.
    """

    text: str
    tokens: tuple[int, ...]
    finish: Literal["stop", "length"]
    seconds: float
    p: tuple[float, ...] = ()
    ends: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """Both arms are done. An arm is None where it could not be decoded.

    free_error: why there is no free reply. error: why there is no constrained one, None where there was no grammar.
    """

    id: str
    free: ArmResult | None
    constrained: ArmResult | None
    fork: Fork | None
    error: str | None = None
    free_error: str | None = None


@dataclass(frozen=True, slots=True)
class BatchHalved:
    """Memory ran out: the batch has at most `slots` rows from now on, and `jobs` jobs start again."""

    slots: int
    jobs: int


DecoderEvent: TypeAlias = Started | TokenAdded | ArmsForked | Finished | BatchHalved


ConstraintT = TypeVar("ConstraintT", bound=Constraint)


class Queueable(Protocol):
    """A request that waits for its turn."""

    @property
    def id(self) -> str:
        """Of its job."""


RequestT = TypeVar("RequestT", bound=Queueable)


class RequestQueue(deque[RequestT]):
    """The requests of a decoder that wait, in the order in which they will be started."""

    def prefer(self, id: str) -> None:
        """Move a request to the front, if it is here."""
        for request in [request for request in self if request.id == id]:
            self.remove(request)
            self.appendleft(request)

    def cancel(self, id: str) -> bool:
        """Take a request out; False if it is not here."""
        for request in [request for request in self if request.id == id]:
            self.remove(request)
            return True
        return False


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

    def step(self) -> Iterator[DecoderEvent]:
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


class Backend(Protocol[ConstraintT]):
    """A model that answers.

    name: as runs are named by it. device, precision: where it is and what its weights are, in a word each.
    no_search: why no search can be made with it, None where one can.
    """

    name: str
    device: str
    precision: str
    search_unavailable_reason: str | None

    def use_adapter(self, name: str | None) -> AdapterInUse | None:
        """Answer with an adapter from now on, or with the model alone. Raises BadInputError for one it has not."""

    def grammar(
        self, schema: Mapping[str, Any], seconds: float, report: Callable[[Loading], None], kind: GrammarKind = "auto"
    ) -> ConstraintT:
        """What holds replies to a schema, made once, in at most `seconds`. Raises GrammarError: why there is none."""

    def plan(
        self,
        jobs: Sequence[Job],
        grammar_of: Callable[[Job], ConstraintT | None],
        generation: Generation,
        batch: int | None = None,
    ) -> Plan:
        """Queue the jobs that can be decoded, in order. batch: at most so many rows at once."""

    def describe(self) -> dict[str, Any]:
        """What the manifest says of it, beside its name, device and precision."""
