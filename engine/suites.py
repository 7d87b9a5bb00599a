"""TOML → Suite. Whatever is wrong with a suite is said here, in sentences that name file, line and key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from engine.faults import Fault, dotted, faults_of, shown
from engine.faults import SuiteError as SuiteError
from engine.files import BOM, neighbour, not_json, read_json, read_text, read_toml
from engine.locate import KeyPath, key_lines, nearest_line

if TYPE_CHECKING:
    from engine.suite_schemas import PlacedSchema

_NAME_LENGTH = 100  # a suite's name becomes part of a folder's name
_MOST_SEED = 2**32 - 1


def _usable_name(name: str) -> str:
    """A name that may be part of a job's id: "suite/prompt/case~variation#repeat"."""
    if not name:
        raise ValueError("must not be empty; give it a name")
    if len(name) > _NAME_LENGTH:
        raise ValueError(f"must be at most {_NAME_LENGTH} characters, not {len(name)}; shorten it")
    for char in name:
        if char in "/~#" or char.isspace() or not char.isprintable():
            raise ValueError(f"must not contain {shown(char)}; use letters, digits, - and _")
    return name


Name = Annotated[str, AfterValidator(_usable_name)]
_Item = TypeVar("_Item")
_Many = Annotated[tuple[_Item, ...], Field(strict=False)]  # TOML has lists, strict pydantic wants tuples


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Generation(_Table):
    """How replies are decoded, the same in both arms. temperature 0 is greedy; top_k 0 is off.

    compile_seconds: how long the schema's grammar may take, before the run goes on without the constrained arm.
    """

    max_new_tokens: int = Field(default=96, ge=1)
    temperature: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int = Field(default=0, ge=0)
    seed: int = Field(default=0, ge=0, le=_MOST_SEED)
    repeats: int = Field(default=1, ge=1, le=10_000)
    compile_seconds: int = Field(default=60, ge=1)


class Example(_Table):
    """A worked example of a prompt. `output` is shown as JSON, or word for word when it is a string."""

    input: str
    output: Any


class _PromptKeys(_Table):
    name: Name
    system: str | None = None
    user: str
    examples: _Many[Example] = ()
    prefill: str | None = None


class Prompt(_PromptKeys):
    """One prompting technique. `{input}` and `{schema}` in `system` and `user` are filled in.

    system: None sends no system message, "" an empty one (some templates put in their own where there is none).
    prefill: the beginning that the reply is given. json_schema: the prompt's own, None where the suite's applies.
    """

    json_schema: dict[str, Any] | None = None


class Case(_Table):
    """One input with what is expected of it: any JSON value, or None where only the schema counts."""

    id: Name
    input: str
    expected: Any = None
    tags: _Many[str] = ()


class Suite(BaseModel):
    """A schema, prompts and cases. `path` is as the user gave it, `text` what the file held, for a manifest to hash.

    json_schema: for the prompts that have none of their own; None where every prompt has one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    text: str = Field(repr=False)
    name: str
    description: str = ""
    generation: Generation = Generation()
    json_schema: dict[str, Any] | None = None
    prompts: tuple[Prompt, ...]
    cases: tuple[Case, ...]

    def schema_of(self, prompt: Prompt) -> dict[str, Any]:
        """The JSON Schema that replies to a prompt of this suite are held to."""
        schema = self.json_schema if prompt.json_schema is None else prompt.json_schema
        assert schema is not None, "loading refuses a prompt without any"
        return schema


class _FilePrompt(_PromptKeys):
    inline_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    schema_file: str | None = None


class _FileCase(Case):
    expected_json: str | None = None  # `expected` as JSON text: TOML has no null


class _File(_Table):
    """The keys of a suite file, as TOML has them."""

    name: Name
    description: str = ""
    generation: Generation = Generation()
    inline_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    schema_file: str | None = None
    prompt: _Many[_FilePrompt] = Field(min_length=1)
    case: _Many[_FileCase] = Field(min_length=1)


def _keys(table: type[_Table]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in table.model_fields.items())


_KNOWN_KEYS: dict[KeyPath, tuple[str, ...]] = {
    (): _keys(_File),
    ("generation",): _keys(Generation),
    ("prompt",): _keys(_FilePrompt),
    ("prompt", "examples"): _keys(Example),
    ("case",): _keys(_FileCase),
}


class _Faulty(Exception):
    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults)
        self.faults = faults


def load_suite(path: Path) -> Suite:
    """The suite in a file. Raises SuiteError with all that is wrong with it, as far as it can be told at once."""
    text = read_text(path)
    lines: dict[KeyPath, int] = {}
    try:
        data = read_toml(path, text)
        lines = key_lines(text.removeprefix(BOM))
        return _suite_of(path, text, data, lines)
    except _Faulty as error:
        placed = sorted(error.faults, key=lambda fault: nearest_line(lines, fault.path) or 0)
        raise SuiteError(*(_sentence(path, lines, fault) for fault in placed)) from None
    except RecursionError:
        raise SuiteError(f"{path}: tables or references are nested too deeply; make the suite flatter") from None


def find_suites(folder: Path) -> list[Path]:
    """The suite files of a folder, by name; a file stands for itself. Raises SuiteError when there is neither."""
    try:
        if folder.is_file():
            return [folder]
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml" and path.is_file())
    except FileNotFoundError:
        raise SuiteError(f"{folder}: there is no such file or folder; {neighbour(folder)}") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise SuiteError(f"{folder}: cannot be read ({reason}); mend that or name another folder") from None


def _sentence(path: Path, lines: dict[KeyPath, int], fault: Fault) -> str:
    line = nearest_line(lines, fault.path)
    place = [str(path)] + ([f"line {line}"] if line else []) + ([dotted(fault.path)] if fault.path else [])
    return f"{', '.join(place)}: {fault.text}"


def _suite_of(path: Path, text: str, data: dict[str, Any], lines: dict[KeyPath, int]) -> Suite:
    """Checks in three steps, each of which needs the one before: the shape, the parts, the expected values."""
    from engine.suite_schemas import Given, contradictions, read_schemas

    file = _validated(data)
    given = [Given((), file.inline_schema, file.schema_file)]
    given += [
        Given(("prompt", number), prompt.inline_schema, prompt.schema_file, prompt.name)
        for number, prompt in enumerate(file.prompt)
    ]
    (default, *own), schema_faults = read_schemas(path.parent, given)
    cases, case_faults = _cases(file)
    _refuse([*schema_faults, *case_faults, *_repeated_names(file, lines), *_unseen_inputs(file)])
    applying = [schema or default for schema in own]
    _refuse(list(contradictions([schema for schema in applying if schema], _expectations(file, cases))))
    return Suite(
        path=path,
        text=text,
        name=file.name,
        description=file.description,
        generation=file.generation,
        json_schema=default.schema if default else None,
        prompts=tuple(map(_prompt, file.prompt, own)),
        cases=cases,
    )


def _prompt(prompt: _FilePrompt, own: PlacedSchema | None) -> Prompt:
    keys = {name: getattr(prompt, name) for name in _PromptKeys.model_fields}
    return Prompt(**keys, json_schema=own.schema if own else None)


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise _Faulty(faults)


def _validated(data: dict[str, Any]) -> _File:
    faults: list[Fault] = []
    try:
        file = _File.model_validate(data)
    except ValidationError as error:
        faults = faults_of(error.errors(include_url=False), _KNOWN_KEYS)
    known = {fault.path for fault in faults}
    _refuse(faults + [fault for fault in not_json(data) if fault.path not in known])
    return file


def _cases(file: _File) -> tuple[tuple[Case, ...], list[Fault]]:
    cases: list[Case] = []
    faults: list[Fault] = []
    for number, case in enumerate(file.case):
        expected = case.expected
        if case.expected_json is not None:
            place: KeyPath = ("case", number, "expected_json")
            try:
                expected = read_json(case.expected_json)
            except ValueError as error:
                faults.append(Fault(place, str(error)))
            else:
                if "expected" in case.model_fields_set:
                    faults.append(Fault(place, "the case has expected as well; keep one of the two"))
                elif expected is None:
                    faults.append(Fault(place, "null alone would mean that nothing is expected; leave the key out"))
        cases.append(Case(id=case.id, input=case.input, expected=expected, tags=case.tags))
    return tuple(cases), faults


def _repeated_names(file: _File, lines: dict[KeyPath, int]) -> Iterator[Fault]:
    for kind, key, names in (
        ("prompt", "name", [prompt.name for prompt in file.prompt]),
        ("case", "id", [case.id for case in file.case]),
    ):
        first: dict[str, int] = {}
        for number, name in enumerate(names):
            if first.setdefault(name, number) != number:
                line = lines.get((kind, first[name], key))
                owner = f"{kind}[{first[name]}]" + (f" on line {line}" if line else "")
                yield Fault((kind, number, key), f'"{name}" is already the {key} of {owner}; give this one another')


def _unseen_inputs(file: _File) -> Iterator[Fault]:
    for number, prompt in enumerate(file.prompt):
        if "{input}" in prompt.user:
            continue
        if "{input}" not in (prompt.system or ""):
            text = "without {input}, here or in system, the model would never see the input; put {input} in"
            yield Fault(("prompt", number, "user"), text)
        elif prompt.examples:
            text = "the inputs of the examples would not be shown; put {input} into user, not only into system"
            yield Fault(("prompt", number, "examples"), text)


def _expectations(file: _File, cases: tuple[Case, ...]) -> Iterator[tuple[KeyPath, Any]]:
    """What is expected and where it stands; the text of `expected_json` has no places inside."""
    for number, (case, source) in enumerate(zip(cases, file.case, strict=True)):
        if case.expected is not None:
            yield ("case", number, "expected" if source.expected_json is None else "expected_json"), case.expected
