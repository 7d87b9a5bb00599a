"""TOML → Suite. Whatever is wrong with a suite is said here, in sentences that name file, line and key."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, TypeVar

import jiter
import tomli
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from engine.faults import Fault, dotted, fault_of, printable, shown
from engine.locate import KeyPath, key_lines, nearest_line

_MOST_FAULTS = 20
_NAME_LENGTH = 100  # a suite's name becomes part of a folder's name
_SEEDS = 2**32


class SuiteError(Exception):
    """A suite that cannot be used. Its text is one sentence for each fault, a line each, safe to print."""

    def __init__(self, *faults: str) -> None:
        self.faults = tuple(printable(fault) for fault in faults)
        lines = self.faults[:_MOST_FAULTS]
        if len(self.faults) > _MOST_FAULTS:
            lines += (f"and {len(self.faults) - _MOST_FAULTS} more faults; mend these first",)
        super().__init__("\n".join(lines))


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
    """How replies are decoded, the same in both arms. temperature 0 is greedy; top_k 0 is off."""

    max_new_tokens: int = Field(default=96, ge=1)
    temperature: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int = Field(default=0, ge=0)
    seed: int = Field(default=0, ge=0, lt=_SEEDS)
    repeats: int = Field(default=1, ge=1, le=10_000)


class Example(_Table):
    """A worked example of a prompt. `output` is shown as JSON, or word for word when it is a string."""

    input: str
    output: Any


class Prompt(_Table):
    """One prompting technique. `{input}` and `{schema}` in `system` and `user` are filled in.

    system: None sends no system message, "" an empty one (some templates put in their own where there is none).
    prefill: the beginning that the reply is given.
    """

    name: Name
    system: str | None = None
    user: str
    examples: _Many[Example] = ()
    prefill: str | None = None


class Case(_Table):
    """One input with what is expected of it: any JSON value, or None where only the schema counts."""

    id: Name
    input: str
    expected: Any = None
    tags: _Many[str] = ()


class Suite(BaseModel):
    """A schema, prompts and cases. `path` is as the user gave it, `text` what the file held, for a manifest to hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    text: str = Field(repr=False)
    name: str
    description: str = ""
    generation: Generation = Generation()
    json_schema: dict[str, Any]
    prompts: tuple[Prompt, ...]
    cases: tuple[Case, ...]


class _FileCase(Case):
    expected_json: str | None = None  # `expected` as JSON text: TOML has no null


class _File(_Table):
    """The keys of a suite file, as TOML has them."""

    name: Name
    description: str = ""
    generation: Generation = Generation()
    inline_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    schema_file: str | None = None
    prompt: _Many[Prompt] = Field(min_length=1)
    case: _Many[_FileCase] = Field(min_length=1)


_KNOWN_KEYS: dict[KeyPath, tuple[str, ...]] = {
    (): tuple(field.alias or name for name, field in _File.model_fields.items()),
    ("generation",): tuple(Generation.model_fields),
    ("prompt",): tuple(Prompt.model_fields),
    ("prompt", "examples"): tuple(Example.model_fields),
    ("case",): tuple(_FileCase.model_fields),
}


class _Faulty(Exception):
    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults)
        self.faults = faults


def load_suite(path: Path) -> Suite:
    """The suite in a file. Raises SuiteError with all that is wrong with it, as far as it can be told at once."""
    text = _read_text(path)
    lines: dict[KeyPath, int] = {}
    try:
        data = _parsed(path, text)
        lines = key_lines(text.removeprefix("\ufeff"))
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
        raise SuiteError(f"{folder}: there is no such file or folder; {_neighbour(folder)}") from None
    except OSError as error:
        raise SuiteError(f"{folder}: cannot be read ({error.strerror}); mend that or name another folder") from None


def _read_text(path: Path) -> str:
    try:
        if path.is_dir():
            raise SuiteError(f"{path}: this is a folder, not a file; name a file in it")
        if path.exists() and not path.is_file():
            raise SuiteError(f"{path}: this is not a regular file; name a file")
        data = path.read_bytes()
    except FileNotFoundError:
        raise SuiteError(f"{path}: there is no such file; {_neighbour(path)}") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise SuiteError(f"{path}: cannot be read ({reason}); mend that or name another file") from None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise SuiteError(f"{path}, line {line}: the byte 0x{byte:02x} is not UTF-8; save the file as UTF-8") from None


def _neighbour(path: Path) -> str:
    """The remedy for a name that does not exist."""
    try:
        close = difflib.get_close_matches(path.name, [each.name for each in path.parent.iterdir()], n=1)
    except OSError:
        return f"the folder {path.parent} cannot be listed either" if path.parent != Path() else "check the name"
    return f"did you mean {path.with_name(close[0])}?" if close else "check the name"


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        data = tomli.loads(text.removeprefix("\ufeff"))
    except tomli.TOMLDecodeError as error:
        place = f"{path}, line {error.lineno}, column {error.colno}"
        if error.pos >= len(error.doc):
            place = f"{path}, at the end of the file"
        raise SuiteError(f"{place}: this is not TOML: {error.msg}; {_toml_remedy(error.msg)}") from None
    except ValueError as error:  # an integer of thousands of digits
        raise SuiteError(f"{path}: {error}; write a smaller number") from None
    if not data:
        remedy = "a suite needs a name, a [schema], a [[prompt]] and a [[case]]"
        raise SuiteError(f"{path}: the file is empty; {remedy}")
    return data


def _toml_remedy(message: str) -> str:
    remedies = {
        "Invalid value": "strings stand in quotes, and only true, false, numbers and dates stand without",
        "Unterminated string": "close the quotes",
        "Illegal character": "close the quotes, or write the character as an escape",
        "Unescaped": r"write \\ for a backslash, or use single quotes",
        "Cannot overwrite": "a key may stand only once",
        "Cannot declare": "a table may stand only once; [[name]] begins one more of several",
        "Unclosed": "close the bracket, or put the missing comma",
    }
    return next((text for start, text in remedies.items() if message.startswith(start)), "correct the TOML there")


def _sentence(path: Path, lines: dict[KeyPath, int], fault: Fault) -> str:
    line = nearest_line(lines, fault.path)
    place = [str(path)] + ([f"line {line}"] if line else []) + ([dotted(fault.path)] if fault.path else [])
    return f"{', '.join(place)}: {fault.text}"


def _suite_of(path: Path, text: str, data: dict[str, Any], lines: dict[KeyPath, int]) -> Suite:
    """Checks in three steps, each of which needs the one before: the shape, the parts, the expected values."""
    file = _validated(data)
    schema, schema_faults = _schema(path, file)
    cases, case_faults = _cases(file)
    _refuse([*schema_faults, *case_faults, *_repeated_names(file, lines), *_unseen_inputs(file)])
    _refuse(list(_contradictions(schema, file, cases)))
    return Suite(
        path=path,
        text=text,
        name=file.name,
        description=file.description,
        generation=file.generation,
        json_schema=schema,
        prompts=file.prompt,
        cases=cases,
    )


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise _Faulty(faults)


def _validated(data: dict[str, Any]) -> _File:
    faults = list(_not_json(data, ()))
    try:
        file = _File.model_validate(data)
    except ValidationError as error:
        known = {fault.path for fault in faults}
        faults += [fault_of(each, _KNOWN_KEYS) for each in error.errors(include_url=False) if each["loc"] not in known]
        raise _Faulty(faults) from None
    _refuse(faults)
    return file


def _not_json(value: Any, path: KeyPath) -> Iterator[Fault]:
    """What TOML can say and JSON cannot: dates, times, infinity and nan."""
    if isinstance(value, date | datetime | time):
        yield Fault(path, f'JSON has no dates; write it in quotes: "{value.isoformat()}"')
    elif isinstance(value, float) and not math.isfinite(value):
        yield Fault(path, f"JSON has no {value}; write a finite number")
    elif isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _not_json(part, (*path, key))


def _json_value(text: str) -> Any:
    """Strict JSON: no NaN, no key twice, no lone surrogates. Raises ValueError with a remedy."""
    try:
        value = jiter.from_json(text.encode(), allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        raise ValueError(f"this is not JSON: {error}; correct it there") from None
    too_large = next(_not_json(value, ()), None)  # 1e999
    if too_large:
        raise ValueError(too_large.text)
    return value


def _schema(path: Path, file: _File) -> tuple[dict[str, Any], list[Fault]]:
    from engine.schemas import schema_faults

    if file.inline_schema is not None and file.schema_file is not None:
        return {}, [Fault(("schema_file",), "the suite has a [schema] as well; keep one of the two")]
    if file.inline_schema is not None:
        inside = schema_faults(file.inline_schema)
        return file.inline_schema, [Fault(("schema", *fault.path), fault.text) for fault in inside]
    if file.schema_file is None:
        remedy = 'add a [schema] table, or schema_file = "…" at the top'
        return {}, [Fault((), f"the suite has no schema; {remedy}")]
    name = path.parent / file.schema_file
    try:
        schema = _json_value(_read_text(name).removeprefix("\ufeff"))
    except SuiteError as error:
        return {}, [Fault(("schema_file",), str(error))]
    except ValueError as error:
        return {}, [Fault(("schema_file",), f"{name}: {error}")]
    if not isinstance(schema, dict):
        return {}, [
            Fault(("schema_file",), f"{name}: must hold a JSON object, not {shown(schema)}; put the schema there")
        ]
    return schema, [Fault(("schema_file",), f"{name}: {fault.text}") for fault in schema_faults(schema)]


def _cases(file: _File) -> tuple[tuple[Case, ...], list[Fault]]:
    cases: list[Case] = []
    faults: list[Fault] = []
    for number, case in enumerate(file.case):
        expected = case.expected
        if case.expected_json is not None:
            place: KeyPath = ("case", number, "expected_json")
            try:
                expected = _json_value(case.expected_json)
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


def _contradictions(schema: dict[str, Any], file: _File, cases: tuple[Case, ...]) -> Iterator[Fault]:
    """Expected values that the schema forbids: no reply could then be right and valid at once."""
    from engine.schemas import validator_of, value_fault

    validator = validator_of(schema)
    for number, (case, source) in enumerate(zip(cases, file.case, strict=True)):
        if case.expected is None:
            continue
        fault = value_fault(validator, case.expected)
        if fault and source.expected_json is not None:
            yield Fault(("case", number, "expected_json"), f"{fault.text}; correct the value or the schema")
        elif fault:
            yield Fault(("case", number, "expected", *fault.path), f"{fault.text}; correct the value or the schema")
