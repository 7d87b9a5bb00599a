"""The wire format, second half: the commands that the engine reads on stdin, one JSON object a line.

`type` says which command it is. The events that it writes on stdout are in events.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from engine.records import Message

GrammarKind: TypeAlias = Literal["auto", "outlines_core", "llguidance"]


GRACE = 5.0
"""Seconds the engine gives a run to close its files after its stdin was closed; then it ends all the same."""


SEARCH_BUDGET = 400
"""Jobs that a search takes at most, unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class StartRun:
    """Run a suite, or a part of it. An empty `prompts` or `cases` means all of them.

    batch: at most so many rows at once; None leaves it to the free memory. grammar: what turns the schema into masks;
    "auto" takes Outlines' own index, and llguidance for schemas that it cannot express. without: cases to leave out.
    resume: the folder of a run of this suite that was broken off: its missing jobs are decoded and added to it. Refused
    where the run was another one (suite, model, settings), and where somebody else writes to it. adapter: the name of
    one that the engine was started with, to answer; None for the model alone.
    """

    suite: Path
    prompts: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    limit: int | None = None
    batch: int | None = None
    grammar: GrammarKind = "auto"
    without: tuple[str, ...] = ()
    resume: Path | None = None
    adapter: str | None = None
    type: Literal["start_run"] = "start_run"


@dataclass(frozen=True, slots=True)
class TrialInput:
    """One input of a trial: a case, one of its variations or None for the input as it is, and the repeat's number."""

    case: str
    variation: str | None
    repeat: int


@dataclass(frozen=True, slots=True)
class StartTrial:
    """Try something beside a run, as a small run with a folder of its own that names the other in `trial_of`.

    of: that run's folder. prompt: a [[prompt]] table as a suite file has it, its name one that the suite has not (an
    edited prompt, say); or the name of one of the suite's. inputs: what it is tried on. seed, temperature: instead of
    the suite's; with a seed each job has this very seed. repeat: a number to give all jobs instead of their inputs'.
    adapter: as in StartRun.
    """

    suite: Path
    of: Path
    prompt: dict[str, Any] | str
    inputs: tuple[TrialInput, ...]
    seed: int | None = None
    temperature: float | None = None
    repeat: int | None = None
    batch: int | None = None
    grammar: GrammarKind = "auto"
    adapter: str | None = None
    type: Literal["start_trial"] = "start_trial"


@dataclass(frozen=True, slots=True)
class RenderPrompt:
    """Put messages through the model's chat template. Needs no loaded model, and is answered while a run is on.

    id: comes back with the answer. prefill: how the reply begins. template_kwargs: variables for the template.
    """

    id: str
    messages: tuple[Message, ...]
    prefill: str = ""
    template_kwargs: dict[str, Any] = field(default_factory=dict)
    type: Literal["render_prompt"] = "render_prompt"


@dataclass(frozen=True, slots=True)
class StartSearch:
    """Look for the best plain prompt of a suite. budget: at most so many jobs. batch: as in StartRun."""

    suite: Path
    budget: int = SEARCH_BUDGET
    batch: int | None = None
    type: Literal["start_search"] = "start_search"


@dataclass(frozen=True, slots=True)
class KeepFiles:
    """Keep these texts, a suite and what it names, below the folder for suites (see Hello). Names are paths there."""

    files: dict[str, str]
    type: Literal["keep_files"] = "keep_files"


@dataclass(frozen=True, slots=True)
class Pause:
    """Stand still within one step, or go on."""

    paused: bool
    type: Literal["pause"] = "pause"


@dataclass(frozen=True, slots=True)
class StopRun:
    """End the run; what is finished stays, jobs in flight are dropped."""

    type: Literal["stop_run"] = "stop_run"


@dataclass(frozen=True, slots=True)
class Prefer:
    """Decode this job next, if it still waits: the user is looking at it."""

    job: str
    type: Literal["prefer"] = "prefer"


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take this job out of the run, if it is not finished; its rows are free at once."""

    job: str
    type: Literal["cancel"] = "cancel"


StartCommand: TypeAlias = StartRun | StartTrial | StartSearch
Command: TypeAlias = StartCommand | RenderPrompt | KeepFiles | Pause | StopRun | Prefer | Cancel


_COMMANDS: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="type")])


def encode_command(command: Command) -> bytes:
    """One line of JSON, newline included."""
    return _COMMANDS.dump_json(command) + b"\n"


def decode_command(line: bytes | str) -> Command:
    """The command of a line. Raises pydantic.ValidationError on anything else."""
    return _COMMANDS.validate_json(line)
