"""Reads the [compare] table of a suite: by path, how expected values are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from engine.judging.compare import ANY, EXACT, Rule, parse_path
from engine.suites.faults import Fault
from engine.suites.toml_lines import KeyPath
from engine.text import did_you_mean, short_json, type_name

# Modes that can be combined, with the field of Rule that each sets.
_MODES = {"casefold": "casefold", "whitespace": "whitespace", "set": "unordered"}
_ALONE = {"exact": EXACT, "ignore": Rule(ignored=True)}


def rules_of(table: Mapping[str, Any]) -> tuple[dict[str, Rule], list[Fault]]:
    """The rules, by path as written in the suite, and everything wrong with them."""
    rules: dict[str, Rule] = {}
    faults: list[Fault] = []
    first: dict[tuple[str, ...], str] = {}
    for path, modes in table.items():
        place: KeyPath = ("compare", path)
        try:
            steps = parse_path(path)
        except ValueError:
            faults.append(Fault(place, f'a path begins with /; write "/{path}", or "" for the whole value'))
            continue
        if first.setdefault(steps, path) != path:
            faults.append(Fault(place, f"the same place as {short_json(first[steps])}; keep one of the two"))
        wrong = list(_wrong(modes))
        faults += [Fault(place, text) for text in wrong]
        if not wrong:
            rules[path] = _rule(modes)
    return rules, faults


def dead_paths(rules: Iterable[str], schemas: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    """The paths that lead to nothing that any of the schemas allows, as far as that is certain."""
    from engine.judging.possible import SchemaPrefixes  # imported late: jsonschema is slow to import

    possible = [SchemaPrefixes(schema) for schema in schemas]
    known = dict.fromkeys(f"/{key}" for schema in schemas for key in schema.get("properties", ()))
    for path in rules:
        if not any(each.reaches(parse_path(path), ANY) for each in possible):
            remedy = did_you_mean(path, known) if known else "correct the path"
            yield Fault(("compare", path), f"the schema allows nothing there; {remedy}")


def _wrong(modes: Any) -> Iterator[str]:
    several = modes if isinstance(modes, list) else [modes]
    if not several:
        yield 'the list is empty; write "exact", or leave the key out'
    for mode in several:
        if isinstance(mode, dict):
            yield from _wrong_tolerance(mode)
        elif not isinstance(mode, str):
            wanted = "a mode in quotes, { tolerance = … } or a list of them"
            yield f"must be {wanted}, not {type_name(mode)}; correct the value"
        elif mode in _ALONE and len(several) > 1:
            yield f"{short_json(mode)} cannot be combined; take it out of the list or write nothing else"
        elif mode not in _ALONE and mode not in _MODES:
            known = (*_ALONE, *_MODES, "tolerance")
            remedy = "write { tolerance = 0.01 }" if mode == "tolerance" else did_you_mean(mode, known)
            yield f"there is no mode {short_json(mode)}; {remedy}"


def _wrong_tolerance(mode: Mapping[str, Any]) -> Iterator[str]:
    unknown = [key for key in mode if key != "tolerance"]
    if unknown or not mode:
        remedy = "write { tolerance = 0.01 }"
        yield f"unknown key {short_json(unknown[0])}; {remedy}" if unknown else remedy
        return
    distance = mode["tolerance"]
    if isinstance(distance, bool) or not isinstance(distance, int | float):
        yield f"the tolerance must be a number, not {type_name(distance)}; write it without quotes"
    elif distance < 0:
        yield f"the tolerance must be at least 0, not {short_json(distance)}; change the number"


def _rule(modes: Any) -> Rule:
    several = modes if isinstance(modes, list) else [modes]
    if several[0] in list(_ALONE):
        return _ALONE[several[0]]
    flags: dict[str, Any] = {_MODES[mode]: True for mode in several if isinstance(mode, str)}
    return Rule(**flags, **next((mode for mode in several if isinstance(mode, dict)), {}))
