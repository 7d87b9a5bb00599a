"""The wire format, first half: the events that the engine writes on stdout, one JSON object a line.

`type` says which event it is. The commands that it reads on stdin are in commands.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from engine.records import Arm, Fork, Record


@dataclass(frozen=True, slots=True)
class JobInfo:
    """What the interface needs to list a job before it has run."""

    id: str
    prompt: str
    case: str
    variation: str | None
    repeat: int
    input: str
    expected: Any
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loading:
    """The model is being made ready. `done` and `total` count in `unit` where the step can be counted."""

    step: str
    done: int | None = None
    total: int | None = None
    unit: str = ""
    type: Literal["loading"] = "loading"


@dataclass(frozen=True, slots=True)
class ModelReady:
    """The model is loaded and answers. `seconds` is what loading took in this process."""

    model: str
    device: str
    dtype: str
    seconds: float
    type: Literal["model_ready"] = "model_ready"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run folder exists and these jobs will be decoded, in this order.

    `constrained_error` says why there will be no constrained arm, when the schema has no grammar.
    `remarks`: sentences worth knowing before reading the results, such as a keyword the grammar does not enforce.
    trial_of: the run that this one is a trial beside (see StartTrial). Of a run that is resumed `jobs` are all of it;
    those that are finished already are told again, by JobFinished, before the first of the others. adapter: the name of
    the one that answers, None for the model alone.
    """

    folder: Path
    suite: str
    model: str
    jobs: tuple[JobInfo, ...]
    constrained_error: str | None = None
    remarks: tuple[str, ...] = ()
    trial_of: Path | None = None
    adapter: str | None = None
    type: Literal["run_started"] = "run_started"


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A job got its row in the batch. `prefill` is the beginning its reply was given, in both arms.

    A job can start again when the batch had to be made smaller: what was streamed of it until then is void.
    """

    job: str
    prefill: str = ""
    type: Literal["job_started"] = "job_started"


@dataclass(frozen=True, slots=True)
class Delta:
    """More text of a reply. Until the arms part, `arm` is "both": append it to the two of them."""

    job: str
    arm: Arm | Literal["both"]
    text: str
    tokens: int
    type: Literal["delta"] = "delta"


@dataclass(frozen=True, slots=True)
class Forked:
    """The arms of a job have parted. Text sent before it that the arms share has been sent as "both"."""

    job: str
    fork: Fork
    type: Literal["forked"] = "forked"


@dataclass(frozen=True, slots=True)
class Broke:
    """A reply that is still being decoded can no longer become ok. The text up to `end` has been sent before.

    start, end: where, as offsets into the reply. The sentence is what it looks like now; the verdict may name another
    class when the whole reply is there.
    """

    job: str
    arm: Arm
    start: int
    end: int
    sentence: str
    type: Literal["broke"] = "broke"


@dataclass(frozen=True, slots=True)
class JobFinished:
    """Both arms are done and judged, and the record is on disk. Its texts replace what was streamed."""

    record: Record
    type: Literal["job_finished"] = "job_finished"


@dataclass(frozen=True, slots=True)
class JobCancelled:
    """The user took a job out of the run: it has no record."""

    job: str
    type: Literal["job_cancelled"] = "job_cancelled"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that happened on the way and changes no result, in a sentence: the batch was made smaller, say."""

    message: str
    type: Literal["remark"] = "remark"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the run is, a few times a second. `tokens_per_second` is over the last seconds, both arms."""

    done: int
    total: int
    in_flight: int
    tokens: int
    tokens_per_second: float
    seconds: float
    type: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True)
class Paused:
    """Decoding stands still (or goes on, when `paused` is false)."""

    paused: bool
    type: Literal["paused"] = "paused"


@dataclass(frozen=True, slots=True)
class RunFinished:
    """No more jobs of this run will be decoded. `stopped`: the user ended it early."""

    folder: Path
    done: int
    total: int
    stopped: bool
    seconds: float
    type: Literal["run_finished"] = "run_finished"


@dataclass(frozen=True, slots=True)
class SearchStarted:
    """The search's folder exists. `rounds`: for each round, how many cases its candidates have answered at its end.

    jobs: how many the search will take, at most. held_out: how many cases the winner will meet that it was not chosen
    on. yardstick: the prompt that it is compared with.
    """

    folder: Path
    suite: str
    model: str
    candidates: int
    rounds: tuple[int, ...]
    jobs: int
    held_out: int
    yardstick: str
    remarks: tuple[str, ...] = ()
    type: Literal["search_started"] = "search_started"


@dataclass(frozen=True, slots=True)
class Standing:
    """A candidate's place: k of its n replies had nothing wrong; low and high are the share's 95 % interval.

    round: the last one it took part in, from 1. state: "kept" where it has come through a round, "dropped" where not.
    """

    prompt: str
    k: int
    n: int
    low: float
    high: float
    round: int
    state: Literal["in play", "kept", "dropped", "winner"]


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Where the candidates stand, the best first, a few times a second. round: from 1; None on the held-out cases."""

    round: int | None
    standings: tuple[Standing, ...]
    type: Literal["leaderboard"] = "leaderboard"


@dataclass(frozen=True, slots=True)
class StillWrong:
    """A held-out case that the winner gets wrong: the primary class, and the judge's sentence."""

    case: str
    failure: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Lead:
    """How far the winner is ahead of the yardstick, on the same cases: its share minus the yardstick's k of n.

    low, high: the 95 % interval of the difference. p: McNemar's exact test, None where no case differs.
    """

    yardstick: str
    k: int
    difference: float
    low: float
    high: float
    p: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """The winner of a search, judged on cases that it was not chosen on: k of n, with the 95 % interval.

    chosen_k, chosen_n: the share that it was chosen by, too good to be reported as its own. lead: None where it is the
    yardstick itself. block: the winner as a [[prompt]] for a suite file.
    """

    prompt: str
    k: int
    n: int
    low: float
    high: float
    chosen_k: int
    chosen_n: int
    lead: Lead | None
    failures: tuple[StillWrong, ...]
    block: str


@dataclass(frozen=True, slots=True)
class SearchFinished:
    """No more jobs of this search will be decoded. found: None where the user ended it before the end."""

    folder: Path
    done: int
    stopped: bool
    seconds: float
    found: Found | None
    type: Literal["search_finished"] = "search_finished"


@dataclass(frozen=True, slots=True)
class PromptRendered:
    """A prompt as the model reads it, in answer to RenderPrompt `id`; error: why it could not be made, then no text.

    model: whose chat template it is. tokens: how many. special: the parts of the text, as offsets (start, end), that
    are one special token each.
    """

    id: str
    model: str
    text: str = ""
    tokens: int = 0
    special: tuple[tuple[int, int], ...] = ()
    error: str | None = None
    type: Literal["prompt_rendered"] = "prompt_rendered"


@dataclass(frozen=True, slots=True)
class Hello:
    """The first word of an engine at the other end of a connection. jsonbreak: its version.

    suites: the folder for the suites that it is sent, see KeepFiles.
    """

    jsonbreak: str
    suites: Path
    type: Literal["hello"] = "hello"


@dataclass(frozen=True, slots=True)
class ManifestWritten:
    """What a run's manifest says by now, at its beginning and at its end: for those who cannot read its folder."""

    folder: Path
    manifest: dict[str, Any]
    type: Literal["manifest_written"] = "manifest_written"


@dataclass(frozen=True, slots=True)
class Failed:
    """What was asked for could not be done. One sentence; `bad_input` when the user can mend it."""

    message: str
    bad_input: bool = False
    type: Literal["failed"] = "failed"


Event: TypeAlias = (
    Loading
    | ModelReady
    | RunStarted
    | JobStarted
    | Delta
    | Forked
    | Broke
    | JobFinished
    | JobCancelled
    | Remark
    | Progress
    | Paused
    | RunFinished
    | SearchStarted
    | Leaderboard
    | SearchFinished
    | PromptRendered
    | Hello
    | ManifestWritten
    | Failed
)


_EVENTS: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])


def encode_event(event: Event) -> bytes:
    """One line of JSON, newline included."""
    return _EVENTS.dump_json(event) + b"\n"


def decode_event(line: bytes | str) -> Event:
    """The event of a line. Raises pydantic.ValidationError on anything else."""
    return _EVENTS.validate_json(line)
