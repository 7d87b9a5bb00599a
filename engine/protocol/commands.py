"""The wire format, second half: the commands that the engine reads on stdin, one JSON object per line.

`type` says which command it is. The events that the engine writes on stdout are in events.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from engine.records import Message

GrammarKind: TypeAlias = Literal["auto", "outlines_core", "llguidance"]
"""What turns a schema into masks: "auto" is Outlines' index, and llguidance for schemas it cannot express."""

GRACE = 5.0
"""Seconds a run has to close its files after the engine's stdin was closed; then the process exits anyway."""

SEARCH_BUDGET = 400
"""The most jobs of a search, by default."""


@dataclass(frozen=True, slots=True)
class StartRun:
    """Run a suite, or a part of it."""

    suite: Path
    prompts: tuple[str, ...] = ()
    """Names; empty means all, as with `cases`."""
    cases: tuple[str, ...] = ()
    limit: int | None = None
    """Only the first jobs."""
    batch: int | None = None
    """The most rows at once; None to fit the free memory."""
    grammar: GrammarKind = "auto"
    without: tuple[str, ...] = ()
    """Cases to leave out."""
    resume: Path | None = None
    """The folder of an interrupted run of this suite: its missing jobs are decoded and added to it.

    Refused when that run had another suite, model or settings, and while another process writes to it.
    """
    adapter: str | None = None
    """The name of one that the engine was started with; None for the model alone."""
    type: Literal["start_run"] = "start_run"


@dataclass(frozen=True, slots=True)
class TrialInput:
    """One input of a trial."""

    case: str
    variation: str | None
    """None for the input as it is."""
    repeat: int


@dataclass(frozen=True, slots=True)
class StartTrial:
    """Try a change on some inputs of a run: a small run with its own folder, whose manifest names the other run."""

    suite: Path
    of: Path
    """The folder of the other run."""
    prompt: dict[str, Any] | str
    """A [[prompt]] table with a new name, such as an edited prompt; or the name of one of the suite's prompts."""
    inputs: tuple[TrialInput, ...]
    seed: int | None = None
    """The seed of each job, instead of those that the suite gives."""
    temperature: float | None = None
    """Instead of the suite's."""
    repeat: int | None = None
    """The repeat number of all jobs, instead of their inputs'."""
    batch: int | None = None
    grammar: GrammarKind = "auto"
    adapter: str | None = None
    type: Literal["start_trial"] = "start_trial"


@dataclass(frozen=True, slots=True)
class RenderPrompt:
    """Render messages with the model's chat template. Needs no loaded model, and is answered during a run too."""

    id: str
    """Comes back with the answer."""
    messages: tuple[Message, ...]
    prefill: str = ""
    """How the reply begins."""
    template_kwargs: dict[str, Any] = field(default_factory=dict)
    """Variables for the template."""
    type: Literal["render_prompt"] = "render_prompt"


@dataclass(frozen=True, slots=True)
class StartSearch:
    """Search for the best plain prompt of a suite."""

    suite: Path
    budget: int = SEARCH_BUDGET
    """The most jobs to decode."""
    batch: int | None = None
    type: Literal["start_search"] = "start_search"


@dataclass(frozen=True, slots=True)
class KeepFiles:
    """Store a suite and the files it names below the folder for suites, see Hello."""

    files: dict[str, str]
    """Texts by their path in that folder."""
    type: Literal["keep_files"] = "keep_files"


@dataclass(frozen=True, slots=True)
class Pause:
    """Pause before the next step, or resume."""

    paused: bool
    type: Literal["pause"] = "pause"


@dataclass(frozen=True, slots=True)
class StopRun:
    """End the run; finished jobs stay, jobs in flight are dropped."""

    type: Literal["stop_run"] = "stop_run"


@dataclass(frozen=True, slots=True)
class Prefer:
    """Decode this job next, if it is still waiting: the user is looking at it."""

    job: str
    type: Literal["prefer"] = "prefer"


@dataclass(frozen=True, slots=True)
class Cancel:
    """Remove this job from the run, unless it is finished; its rows are free at once."""

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
