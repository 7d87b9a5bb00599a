"""The manifest of a run as it is read: what is missing has a default, what is unknown is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.protocol.commands import GrammarKind
from engine.runs.store import MANIFEST


class PromptText(BaseModel):
    """A prompt as the manifest has it."""

    name: str
    system: str | None = None
    user: str = ""
    prefill: str | None = None
    examples: list[Any] = []
    think: dict[str, Any] | None = None
    chat_template_kwargs: dict[str, Any] = {}
    about: str = ""
    """What the library of techniques says about it; "" for a prompt that is not from there."""
    source: str = ""
    """Where the technique comes from; "" likewise."""


class UnenforcedFacts(BaseModel):
    """A keyword of the schema that the grammar does not enforce."""

    keyword: str
    pointer: str = ""
    """Where it is in the schema."""


class GrammarFacts(BaseModel):
    """The grammar for the schema of some prompts."""

    prompts: list[str] = []
    json_schema: Any = Field(default=None, alias="schema")
    backend: str | None = None
    """The library that made it; None if there is no grammar."""
    unenforced: list[UnenforcedFacts] = []
    error: str | None = None
    """Why there is no grammar."""


class AdapterFacts(BaseModel):
    """The adapter of a run."""

    model_config = ConfigDict(extra="allow")

    name: str
    path: str | None = None
    sha256: str | None = None
    base: str | None = None
    """The model that it was trained on, as its files state."""
    live: float | None = None
    """The largest change that it makes to the logits of a probe; 0 is an adapter without effect."""
    remarks: list[str] = []


class Manifest(BaseModel):
    """What the manifest records about a run. Older versions wrote less; fields of newer ones are kept as extras."""

    model_config = ConfigDict(extra="allow")

    jsonbreak: str | None = None
    """The version that wrote it."""
    suite: str | None = None
    suite_file: str | None = None
    suite_sha256: str | None = None
    suite_text: str | None = None
    """The suite's file as it was."""
    json_schema: Any = Field(default=None, alias="schema")
    prompts: list[PromptText] = []
    prompts_sha256: dict[str, str] = {}
    """By prompt, see running.describe.prompt_sha256."""
    generation: dict[str, Any] = {}
    model: str | None = None
    model_sha256: str | None = None
    """Of all files together, see models.fingerprints."""
    model_files: dict[str, str] | None = None
    tokenizer_sha256: str | None = None
    """Of all files together, likewise."""
    chat_template_sha256: str | None = None
    adapter: AdapterFacts | None = None
    device: str | None = None
    device_name: str | None = None
    dtype: str | None = None
    attention: str | None = None
    whitespace_pattern: str | None = None
    grammars: list[GrammarFacts] = []
    constrained_error: str | None = None
    """Why the run has no constrained arm."""
    batch: int | None = None
    """How many slots the batch had."""
    jobs: int | None = None
    versions: dict[str, Any] = {}
    started: str | None = None
    ended: str | None = None
    done: int | None = None
    cancelled: int | None = None
    stopped: bool | None = None
    selection: dict[str, Any] = {}
    """Which jobs of the suite it has, with the keys of StartRun."""
    grammar: GrammarKind = "auto"
    trial_of: str | None = None
    """The name of the run that it is a trial of."""
    resumed: list[str] = []
    """When it was resumed."""
    rates: dict[str, Any] = {}
    """Of a run that has ended, see running.describe.rates_for_manifest."""
    command_line: list[str] = []


def read_manifest(folder: Path) -> tuple[Manifest, str | None]:
    """The manifest of a run, and why it could not be read; it is empty then."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes()), None
    except FileNotFoundError:
        return Manifest(), f"There is no {MANIFEST}"
    except OSError as error:
        return Manifest(), f"{MANIFEST} cannot be read ({error.strerror})"
    except ValidationError:
        return Manifest(), f"{MANIFEST} is not a manifest of jsonbreak"
