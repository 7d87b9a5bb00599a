"""The manifest of a run as it is read: whatever is missing has a default, whatever is new is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.protocol.commands import GrammarKind
from engine.runs.store import MANIFEST


class PromptText(BaseModel):
    """A prompt as the manifest has it. about, source: what the library says of a technique, "" of another prompt."""

    name: str
    system: str | None = None
    user: str = ""
    prefill: str | None = None
    examples: list[Any] = []
    think: dict[str, Any] | None = None
    chat_template_kwargs: dict[str, Any] = {}
    about: str = ""
    source: str = ""


class UnenforcedFacts(BaseModel):
    """A keyword of the schema that the grammar leaves to the judge, and its place in the schema."""

    keyword: str
    pointer: str = ""


class GrammarFacts(BaseModel):
    """The grammar of some prompts' schema: which library made it, or why there is none."""

    prompts: list[str] = []
    json_schema: Any = Field(default=None, alias="schema")
    backend: str | None = None
    unenforced: list[UnenforcedFacts] = []
    error: str | None = None


class AdapterFacts(BaseModel):
    """The adapter that answered. base: the model that it says it was trained on. live: see `adapters.AdapterInUse`."""

    model_config = ConfigDict(extra="allow")

    name: str
    path: str | None = None
    sha256: str | None = None
    base: str | None = None
    live: float | None = None
    remarks: list[str] = []


class Manifest(BaseModel):
    """What the manifest says of the run. Older runs lack some of it, newer ones have more: that is kept too.

    suite_text: of the suite's file. prompts_sha256: by prompt (see `manifest.prompt_sha256`). model_sha256,
    tokenizer_sha256: of all the files together (see `fingerprints.combined`). selection: which of the suite's jobs (see
    `orders.Ordered`). trial_of: the name of the run that it is a trial beside. resumed: when it was gone on with.
    rates: see `manifest.counts_of`; of a run that has ended.
    """

    model_config = ConfigDict(extra="allow")

    jsonbreak: str | None = None
    suite: str | None = None
    suite_file: str | None = None
    suite_sha256: str | None = None
    suite_text: str | None = None
    json_schema: Any = Field(default=None, alias="schema")
    prompts: list[PromptText] = []
    prompts_sha256: dict[str, str] = {}
    generation: dict[str, Any] = {}
    model: str | None = None
    model_sha256: str | None = None
    model_files: dict[str, str] | None = None
    tokenizer_sha256: str | None = None
    chat_template_sha256: str | None = None
    adapter: AdapterFacts | None = None
    device: str | None = None
    device_name: str | None = None
    dtype: str | None = None
    attention: str | None = None
    whitespace_pattern: str | None = None
    grammars: list[GrammarFacts] = []
    constrained_error: str | None = None
    batch: int | None = None
    jobs: int | None = None
    versions: dict[str, Any] = {}
    started: str | None = None
    ended: str | None = None
    done: int | None = None
    cancelled: int | None = None
    stopped: bool | None = None
    selection: dict[str, Any] = {}
    grammar: GrammarKind = "auto"
    trial_of: str | None = None
    resumed: list[str] = []
    rates: dict[str, Any] = {}
    command_line: list[str] = []


def _read_manifest(file: Path) -> tuple[Manifest, str | None]:
    try:
        return Manifest.model_validate_json(file.read_bytes()), None
    except FileNotFoundError:
        return Manifest(), f"There is no {MANIFEST}"
    except OSError as error:
        return Manifest(), f"{MANIFEST} cannot be read ({error.strerror})"
    except ValidationError:
        return Manifest(), f"{MANIFEST} is not a manifest of jsonbreak"
