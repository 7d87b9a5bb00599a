"""Loads a suite from TOML. Everything wrong with it is reported in sentences that name file, line and key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.judging.compare import Rule
from engine.suites.compare_rules import dead_paths, rules_of
from engine.suites.faults import Fault, SuiteError, dotted, faults_of
from engine.suites.files import BOM, neighbour, not_json, read_json, read_text, read_toml
from engine.suites.prompts import drafts_of, unfit_prompts
from engine.suites.tables import (
    Case,
    Example,
    File,
    FileCase,
    FilePrompt,
    Generation,
    Given,
    Prompt,
    Table,
    Think,
    Variations,
)
from engine.suites.toml_lines import KeyPath, key_lines, nearest_line
from engine.text import short_json


class Suite(BaseModel):
    """A schema, prompts and cases."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    """As the user gave it."""
    text: str = Field(repr=False)
    """The content of the file, which a manifest stores and hashes."""
    name: str
    description: str = ""
    task: str | None = None
    """What techniques ask for; None if the suite uses none."""
    generation: Generation = Generation()
    variations: Variations = Variations()
    json_schema: dict[str, Any] | None = None
    """For prompts without a schema of their own; None if every prompt has one."""
    compare: dict[str, Rule] = {}
    """By path, how expected values are compared; by equality everywhere else."""
    examples: tuple[Example, ...] = ()
    """For techniques."""
    prompts: tuple[Prompt, ...]
    cases: tuple[Case, ...]

    def schema_of(self, prompt: Prompt) -> dict[str, Any]:
        """The JSON Schema that replies to a prompt of this suite must satisfy."""
        schema = self.json_schema if prompt.json_schema is None else prompt.json_schema
        assert schema is not None, "loading refuses a prompt without any"
        return schema


def _keys(table: type[Table]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in table.model_fields.items())


_KNOWN_KEYS: dict[KeyPath, tuple[str, ...]] = {
    (): _keys(File),
    ("generation",): _keys(Generation),
    ("variations",): _keys(Variations),
    ("example",): _keys(Example),
    ("prompt",): _keys(FilePrompt),
    ("prompt", "examples"): _keys(Example),
    ("prompt", "think"): _keys(Think),
    ("case",): _keys(FileCase),
}


class _Faulty(Exception):
    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults)
        self.faults = faults


def load_suite(path: Path) -> Suite:
    """The suite in a file. Raises SuiteError with everything wrong with it, as far as one pass can find."""
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


def add_prompt(suite: Suite, table: Mapping[str, Any]) -> Suite:
    """The suite with one more prompt at the end, given as the [[prompt]] table of a suite file.

    Raises SuiteError with everything wrong with the table.
    """
    if any(prompt.name == table.get("name") for prompt in suite.prompts):
        raise SuiteError(f"the prompt, name: {short_json(table['name'])} is already the name of a prompt; take another")
    data = read_toml(suite.path, suite.text)
    before = data.get("prompt", [])
    try:
        whole = _suite_of(suite.path, suite.text, {**data, "prompt": [*before, dict(table)]}, {})
    except _Faulty as error:
        raise SuiteError(*(_of_prompt(fault, len(before)) for fault in error.faults)) from None
    (added,) = (prompt for prompt in whole.prompts if prompt.name == table["name"])
    return suite.model_copy(update={"prompts": (*suite.prompts, added)})


def _of_prompt(fault: Fault, number: int) -> str:
    path = fault.path[2:] if fault.path[:2] == ("prompt", number) else fault.path
    return f"the prompt{', ' + dotted(path) if path else ''}: {fault.text}"


def find_suites(folder: Path) -> list[Path]:
    """The suite files of a folder, by name, or the one file. Raises SuiteError when there is neither."""
    try:
        if folder.is_file():
            return [folder]
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml" and path.is_file())
    except FileNotFoundError:
        raise SuiteError(f"{folder}: there is no such file or folder; {neighbour(folder)}") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise SuiteError(f"{folder}: cannot be read ({reason}); fix that or name another folder") from None


def _sentence(path: Path, lines: dict[KeyPath, int], fault: Fault) -> str:
    line = nearest_line(lines, fault.path)
    place = [str(path)] + ([f"line {line}"] if line else []) + ([dotted(fault.path)] if fault.path else [])
    return f"{', '.join(place)}: {fault.text}"


def _suite_of(path: Path, text: str, data: dict[str, Any], lines: dict[KeyPath, int]) -> Suite:
    """Check in three steps, each of which needs the one before: the shape, the parts, the expected values."""
    from engine.suites.schemas import contradictions, read_schemas  # imported late: jsonschema is slow to import

    file = _validated(data)
    drafts, prompt_faults = drafts_of(file)
    given = [Given((), file.inline_schema, file.schema_file), *(draft.given for draft in drafts)]
    (default, *own), schema_faults = read_schemas(path.parent, given)
    cases, case_faults = _cases(file)
    rules, rule_faults = rules_of(file.compare)
    _refuse(
        [
            *prompt_faults,
            *schema_faults,
            *case_faults,
            *rule_faults,
            *_repeated_names(file, lines),
            *_unseen_inputs(file),
        ]
    )
    applying = [schema or default for schema in own]
    _refuse(list(unfit_prompts(drafts, [each.schema if each else None for each in applying])))
    schemas = [schema for schema in applying if schema]
    _refuse(list(dead_paths(rules, [each.schema for each in schemas])))
    _refuse(list(contradictions(schemas, _expectations(file, cases))))
    _refuse(list(contradictions([default] if default else [], _shown_outputs(file))))
    return Suite(
        path=path,
        text=text,
        name=file.name,
        description=file.description,
        task=file.task,
        generation=file.generation,
        variations=file.variations,
        json_schema=default.schema if default else None,
        compare=rules,
        examples=file.example,
        prompts=tuple(
            draft.prompt.model_copy(update={"json_schema": each.schema if each else None})
            for draft, each in zip(drafts, own, strict=True)
        ),
        cases=cases,
    )


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise _Faulty(faults)


def _validated(data: dict[str, Any]) -> File:
    faults: list[Fault] = []
    try:
        file = File.model_validate(data)
    except ValidationError as error:
        faults = faults_of(error.errors(include_url=False), _KNOWN_KEYS)
    known = {fault.path for fault in faults}
    _refuse(faults + [fault for fault in not_json(data) if fault.path not in known])
    return file


def _cases(file: File) -> tuple[tuple[Case, ...], list[Fault]]:
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


def _repeated_names(file: File, lines: dict[KeyPath, int]) -> Iterator[Fault]:
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


def _unseen_inputs(file: File) -> Iterator[Fault]:
    for number, prompt in enumerate(file.prompt):
        if "{input}" in prompt.user:
            continue
        if "{input}" not in (prompt.system or ""):
            text = "without {input}, here or in system, the model would never see the input; put {input} in"
            yield Fault(("prompt", number, "user"), text)
        elif prompt.examples:
            text = "the inputs of the examples would not be shown; put {input} into user, not only into system"
            yield Fault(("prompt", number, "examples"), text)


def _expectations(file: File, cases: tuple[Case, ...]) -> Iterator[tuple[KeyPath, Any]]:
    """The expected values and their places; `expected_json` is text, so it has no places inside."""
    for number, (case, source) in enumerate(zip(cases, file.case, strict=True)):
        if case.expected is not None:
            yield ("case", number, "expected" if source.expected_json is None else "expected_json"), case.expected


def _shown_outputs(file: File) -> Iterator[tuple[KeyPath, Any]]:
    """The outputs of the examples, except those that are shown verbatim."""
    for number, example in enumerate(file.example):
        if not isinstance(example.output, str):
            yield ("example", number, "output"), example.output
