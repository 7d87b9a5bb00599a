"""The tables of a suite file: their keys, types and bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from engine.suites.toml_lines import KeyPath
from engine.text import did_you_mean, short_json
from engine.variations import VARIATIONS

_NAME_LENGTH = 100  # a suite's name becomes part of a folder's name
_MOST_SEED = 2**32 - 1

# Arguments that jsonbreak itself sets when it renders a chat (engine.models.chat); templates may define any others.
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
    """A task that techniques can follow with a colon, a full stop or more words."""
    if not task.strip():
        raise ValueError("must not be empty; say what is to be done with an input")
    if task[-1].isspace() or task[-1] in ".:":
        raise ValueError(
            f"must not end with {short_json(task[-1])}; leave it off, each technique adds its own punctuation"
        )
    if "{input}" in task:
        raise ValueError("must not contain {input}; say what is to be done, each technique inserts the input itself")
    return task


def _known_variation(name: str) -> str:
    if name not in VARIATIONS:
        raise ValueError(f"there is no variation {short_json(name)}; {did_you_mean(name, VARIATIONS)}")
    return name


def _template_variables(variables: dict[str, Any]) -> dict[str, Any]:
    taken = [key for key in variables if key in _RENDERING]
    if taken:
        raise ValueError(f"{taken[0]} is not a variable of a template: jsonbreak sets it itself; leave it out")
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
    """How replies are decoded, the same in both arms."""

    max_new_tokens: int = Field(default=96, ge=1)
    temperature: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """0 is greedy decoding."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int = Field(default=0, ge=0)
    """0 is off."""
    seed: int = Field(default=0, ge=0, le=_MOST_SEED)
    repeats: int = Field(default=1, ge=1, le=10_000)
    compile_seconds: int = Field(default=60, ge=1)
    """The time limit for compiling the grammar, after which the run continues without the constrained arm."""
    chat_template_kwargs: TemplateVariables = {}
    """Variables for the model's chat template, such as enable_thinking."""


class Variations(Table):
    """Which variations of each input are run, in addition to the input itself."""

    use: Annotated[Many[_Variation], BeforeValidator(lambda use: list(VARIATIONS) if use == "all" else use)] = ()
    per_case: int = Field(default=0, ge=0)
    """How many of them are drawn for each case; 0 is all."""


class Example(Table):
    """A worked example of a prompt."""

    input: str
    output: Any
    """Shown as JSON, or verbatim if it is a string."""


class Think(Table):
    """Both arms think freely before the reply."""

    close: str = Field(min_length=1)
    """The tag that ends the thinking; what follows it is the reply."""
    budget: int = Field(default=256, ge=1)
    """The most tokens of thinking."""


class PromptKeys(Table):
    """The keys that a prompt has both in the file and in a loaded suite."""

    name: Name
    system: str | None = None
    """None sends no system message, "" an empty one (for which some templates insert their own default)."""
    user: str
    examples: Many[Example] = ()
    prefill: str | None = None
    """The beginning of the reply, given to the model."""
    think: Think | None = None
    chat_template_kwargs: TemplateVariables = {}


class Prompt(PromptKeys):
    """One prompting technique. `{input}`, `{schema}` and `{keys}` in `system` and `user` are filled in."""

    json_schema: dict[str, Any] | None = None
    """The prompt's own; None where the suite's applies."""
    about: str = ""
    """The library's description of a technique; "" for a prompt of the suite's own."""
    source: str = ""
    """Where the technique comes from; "" for a prompt of the suite's own."""


class Case(Table):
    """One input with the value that is expected for it."""

    id: Name
    input: str
    expected: Any = None
    """Any JSON value; None if only the schema matters."""
    tags: Many[str] = ()


class FilePrompt(PromptKeys):
    """A [[prompt]]."""

    inline_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    schema_file: str | None = None


class FileCase(Case):
    """A [[case]]."""

    expected_json: str | None = None
    """`expected` as JSON text, since TOML has no null."""


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
    """The two keys with which a table of the suite may give a schema."""

    table: KeyPath
    inline: dict[str, Any] | None
    file: str | None
    prompt: str | None = None
    """Whose table it is; None for the suite's."""
