"""The wire format, first half: the events that the engine writes on stdout, one JSON object per line.

`type` says which event it is. The commands that the engine reads on stdin are in commands.py.
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
    """The model is being loaded."""

    step: str
    done: int | None = None
    """How much of the step is done, in `unit`; None where the step cannot be counted, as `total`."""
    total: int | None = None
    unit: str = ""
    type: Literal["loading"] = "loading"


@dataclass(frozen=True, slots=True)
class ModelReady:
    """The model is loaded."""

    model: str
    device: str
    dtype: str
    seconds: float
    """How long loading took in this process."""
    type: Literal["model_ready"] = "model_ready"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run folder exists and the jobs will be decoded."""

    folder: Path
    suite: str
    model: str
    jobs: tuple[JobInfo, ...]
    """All jobs of the run, in the order of decoding.

    A resumed run replays those that are already finished, as JobFinished, before the first of the others.
    """
    constrained_error: str | None = None
    """Why there will be no constrained arm, when the schema has no grammar."""
    remarks: tuple[str, ...] = ()
    """Sentences worth knowing before reading the results, such as a keyword that the grammar does not enforce."""
    trial_of: Path | None = None
    """The run that this one is a trial of, see StartTrial."""
    adapter: str | None = None
    """The adapter's name, None for the model alone."""
    type: Literal["run_started"] = "run_started"


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A job was admitted to the batch. One that is preempted starts again, and what was streamed of it is void."""

    job: str
    prefill: str = ""
    """How its reply begins, in both arms."""
    type: Literal["job_started"] = "job_started"


@dataclass(frozen=True, slots=True)
class Delta:
    """More text of a reply."""

    job: str
    arm: Arm | Literal["both"]
    """"both" until the arms fork: append the text to each of them."""
    text: str
    tokens: int
    """How many tokens the text has."""
    type: Literal["delta"] = "delta"


@dataclass(frozen=True, slots=True)
class Forked:
    """The arms of a job have forked. The text that they share has been sent before, as "both"."""

    job: str
    fork: Fork
    type: Literal["forked"] = "forked"


@dataclass(frozen=True, slots=True)
class Broke:
    """A reply that is still being decoded can no longer become ok. The text up to `end` has been sent before."""

    job: str
    arm: Arm
    start: int
    """Offset into the reply, as `end`."""
    end: int
    sentence: str
    """What it looks like now; the verdict on the whole reply may name another class."""
    type: Literal["broke"] = "broke"


@dataclass(frozen=True, slots=True)
class JobFinished:
    """Both arms are finished and judged, and the record is on disk. Its texts replace what was streamed."""

    record: Record
    type: Literal["job_finished"] = "job_finished"


@dataclass(frozen=True, slots=True)
class JobCancelled:
    """The user removed a job from the run: it has no record."""

    job: str
    type: Literal["job_cancelled"] = "job_cancelled"


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence about something that changes no result, such as a smaller batch."""

    message: str
    type: Literal["remark"] = "remark"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the run is, a few times a second."""

    done: int
    total: int
    in_flight: int
    tokens: int
    tokens_per_second: float
    """Of both arms, over the last seconds."""
    seconds: float
    type: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True)
class Paused:
    """Decoding is paused, or resumed when `paused` is false."""

    paused: bool
    type: Literal["paused"] = "paused"


@dataclass(frozen=True, slots=True)
class RunFinished:
    """No more jobs of this run will be decoded."""

    folder: Path
    done: int
    total: int
    stopped: bool
    """Whether the user ended it early."""
    seconds: float
    type: Literal["run_finished"] = "run_finished"


@dataclass(frozen=True, slots=True)
class SearchStarted:
    """The search's folder exists."""

    folder: Path
    suite: str
    model: str
    candidates: int
    rounds: tuple[int, ...]
    """For each round, how many cases its candidates have answered at its end."""
    jobs: int
    """The most jobs that the search will decode."""
    held_out: int
    """How many cases the winner will be judged on that it was not chosen on."""
    yardstick: str
    """The baseline: the prompt that the winner is compared with."""
    remarks: tuple[str, ...] = ()
    type: Literal["search_started"] = "search_started"


@dataclass(frozen=True, slots=True)
class Standing:
    """A candidate's place: `k` of its `n` replies were ok."""

    prompt: str
    k: int
    n: int
    low: float
    """The 95 % interval of the share, with `high`."""
    high: float
    round: int
    """The last round it took part in, from 1."""
    state: Literal["in play", "kept", "dropped", "winner"]
    """"kept" or "dropped" by its last finished round."""


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """The candidates, best first, a few times a second."""

    round: int | None
    """From 1; None on the held-out cases."""
    standings: tuple[Standing, ...]
    type: Literal["leaderboard"] = "leaderboard"


@dataclass(frozen=True, slots=True)
class StillWrong:
    """A held-out case that the winner gets wrong."""

    case: str
    failure: str
    """The primary class of the verdict."""
    sentence: str
    """The verdict's message."""


@dataclass(frozen=True, slots=True)
class Lead:
    """How far the winner is ahead of the baseline, on the same cases."""

    yardstick: str
    """The baseline prompt."""
    k: int
    """How many of the baseline's replies were ok, of as many as the winner's."""
    difference: float
    """The winner's share minus the baseline's."""
    low: float
    """The 95 % interval of the difference, with `high`."""
    high: float
    p: float | None
    """McNemar's exact test, None where no case differs."""


@dataclass(frozen=True, slots=True)
class Found:
    """The winner of a search, judged on cases that it was not chosen on."""

    prompt: str
    k: int
    """How many of its `n` replies to held-out cases were ok."""
    n: int
    low: float
    """The 95 % interval of the share, with `high`."""
    high: float
    chosen_k: int
    """Of `chosen_n`, the share it was chosen by: too optimistic to be reported as its own."""
    chosen_n: int
    lead: Lead | None
    """None where it is the baseline itself."""
    failures: tuple[StillWrong, ...]
    block: str
    """The winner as a [[prompt]] for a suite file."""


@dataclass(frozen=True, slots=True)
class SearchFinished:
    """No more jobs of this search will be decoded."""

    folder: Path
    done: int
    stopped: bool
    seconds: float
    found: Found | None
    """None where the user ended it early."""
    type: Literal["search_finished"] = "search_finished"


@dataclass(frozen=True, slots=True)
class PromptRendered:
    """A prompt as the model reads it."""

    id: str
    """Of the RenderPrompt that it answers."""
    model: str
    """Whose chat template was used."""
    text: str = ""
    tokens: int = 0
    """How many tokens the text has."""
    special: tuple[tuple[int, int], ...] = ()
    """The special tokens, as offsets (start, end) into the text."""
    error: str | None = None
    """Why it could not be rendered; there is no text then."""
    type: Literal["prompt_rendered"] = "prompt_rendered"


@dataclass(frozen=True, slots=True)
class Hello:
    """The first event of an engine at the other end of a connection."""

    jsonbreak: str
    """Its version."""
    suites: Path
    """The folder for suites that are sent to it, see KeepFiles."""
    type: Literal["hello"] = "hello"


@dataclass(frozen=True, slots=True)
class ManifestWritten:
    """The manifest of a run, at its start and at its end, for a reader without access to its folder."""

    folder: Path
    manifest: dict[str, Any]
    type: Literal["manifest_written"] = "manifest_written"


@dataclass(frozen=True, slots=True)
class Failed:
    """A command failed."""

    message: str
    """One sentence."""
    bad_input: bool = False
    """Whether the user can fix it."""
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
