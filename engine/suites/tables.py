"""The tables of a suite, as TOML has them: their keys, types and bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from engine.suites.toml_lines import KeyPath
from engine.text import did_you_mean, short_json
from engine.variations import VARIATIONS

_NAME_LENGTH = 100  # a suite's name becomes part of a folder's name
_MOST_SEED = 2**32 - 1

# What jsonbreak itself says when it renders a chat (engine.models.model); the rest are the template's own variables.
_RENDERING = (
    *("add_generation_prompt", "chat_template", "continue_final_message", "conversation", "max_length", "messages"),
    *("padding", "return_assistant_tokens_mask", "return_dict", "return_tensors", "sanitize_control_tokens"),
    *("tokenize", "tokenizer_kwargs", "truncation"),
)


def _usable_name(name: str) -> str:
    """A name that may be part of a job's id: "suite/prompt/case~variation#repeat"."""
    if not name:
        raise ValueError("must not be empty; give it a name")
    if len(name) > _NAME_LENGTH:
        raise ValueError(f"must be at most {_NAME_LENGTH} characters, not {len(name)}; shorten it")
    for char in name:
        if char in "/~#" or char.isspace() or not char.isprintable():
            raise ValueError(f"must not contain {short_json(char)}; use letters, digits, - and _")
    return name


def _usable_task(task: str) -> str:
    """What techniques can put a colon, a full stop or more words after."""
    if not task.strip():
        raise ValueError("must not be empty; say what is to be done with an input")
    if task[-1].isspace() or task[-1] in ".:":
        raise ValueError(f"must not end with {short_json(task[-1])}; leave it off, each technique puts its own end")
    if "{input}" in task:
        raise ValueError("must not contain {input}; say what is to be done, each technique puts the input in its place")
    return task


def _known_variation(name: str) -> str:
    if name not in VARIATIONS:
        raise ValueError(f"there is no variation {short_json(name)}; {did_you_mean(name, VARIATIONS)}")
    return name


def _template_variables(variables: dict[str, Any]) -> dict[str, Any]:
    taken = [key for key in variables if key in _RENDERING]
    if taken:
        raise ValueError(f"{taken[0]} is no variable of a template: jsonbreak sets it itself; leave it out")
    return variables


Name = Annotated[str, AfterValidator(_usable_name)]
Task = Annotated[str, AfterValidator(_usable_task)]
TemplateVariables = Annotated[dict[str, Any], AfterValidator(_template_variables)]
_Item = TypeVar("_Item")
Many = Annotated[tuple[_Item, ...], Field(strict=False)]  # TOML has lists, strict pydantic wants tuples
_Variation = Annotated[str, AfterValidator(_known_variation)]


class Table(BaseModel):
    """A table with these keys and no others, each of exactly its type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Generation(Table):
    """How replies are decoded, the same in both arms. temperature 0 is greedy; top_k 0 is off.

    compile_seconds: how long the schema's grammar may take, before the run goes on without the constrained arm.
    chat_template_kwargs: variables for the model's chat template, such as enable_thinking.
    """

    max_new_tokens: int = Field(default=96, ge=1)
    temperature: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int = Field(default=0, ge=0)
    seed: int = Field(default=0, ge=0, le=_MOST_SEED)
    repeats: int = Field(default=1, ge=1, le=10_000)
    compile_seconds: int = Field(default=60, ge=1)
    chat_template_kwargs: TemplateVariables = {}


class Variations(Table):
    """Which variations of each input are run, beside the input itself. per_case: a choice of so many; 0 is all."""

    use: Annotated[Many[_Variation], BeforeValidator(lambda use: list(VARIATIONS) if use == "all" else use)] = ()
    per_case: int = Field(default=0, ge=0)


class Example(Table):
    """A worked example of a prompt. `output` is shown as JSON, or word for word when it is a string."""

    input: str
    output: Any


class Think(Table):
    """Both arms think freely up to the tag `close`, in at most `budget` tokens; what follows is the reply."""

    close: str = Field(min_length=1)
    budget: int = Field(default=256, ge=1)


class PromptKeys(Table):
    """What a prompt has in the file and in a suite alike."""

    name: Name
    system: str | None = None
    user: str
    examples: Many[Example] = ()
    prefill: str | None = None
    think: Think | None = None
    chat_template_kwargs: TemplateVariables = {}


class Prompt(PromptKeys):
    """One prompting technique. `{input}`, `{schema}` and `{keys}` in `system` and `user` are filled in.

    system: None sends no system message, "" an empty one (some templates put in their own where there is none).
    prefill: the beginning that the reply is given. json_schema: the prompt's own, None where the suite's applies.
    about, source: what the library says of a technique, "" where the prompt is the suite's own.
    """

    json_schema: dict[str, Any] | None = None
    about: str = ""
    source: str = ""


class Case(Table):
    """One input with what is expected of it: any JSON value, or None where only the schema counts."""

    id: Name
    input: str
    expected: Any = None
    tags: Many[str] = ()


class FilePrompt(PromptKeys):
    """A [[prompt]]."""

    inline_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    schema_file: str | None = None


class FileCase(Case):
    """A [[case]]. expected_json: `expected` as JSON text, since TOML has no null."""

    expected_json: str | None = None


class File(Table):
    """The keys of a suite file."""

    name: Name
    description: str = ""
    task: Task | None = None
    use: Many[str] = ()
    generation: Generation = Generation()
    variations: Variations = Variations()
    inline_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    schema_file: str | None = None
    compare: dict[str, Any] = {}
    example: Many[Example] = ()
    prompt: Many[FilePrompt] = ()
    case: Many[FileCase] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Given:
    """The two keys with which a table of the suite may give a schema. prompt: whose table it is, None for the suite."""

    table: KeyPath
    inline: dict[str, Any] | None
    file: str | None
    prompt: str | None = None
