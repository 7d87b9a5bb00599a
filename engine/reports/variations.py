"""`jsonbreak variations`: the library, how many cases of a suite it applies to, and how it rewrites a case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from engine.errors import BadInputError
from engine.suites.faults import SuiteError
from engine.suites.suite import Suite, load_suite
from engine.text import did_you_mean, printable, short_json
from engine.variations import VARIATIONS, Rewriter


def list_variations(suite_file: Path | None, case_id: str | None) -> Iterator[str]:
    """The lines to print. Raises BadInputError and SuiteError."""
    if suite_file is None:
        if case_id is not None:
            raise BadInputError("--show needs a suite: jsonbreak variations SUITE --show CASE")
        return (line for name in VARIATIONS for line in _entry(name))
    suite = load_suite(suite_file)
    rewriter = Rewriter(suite.cases, suite.generation.seed)
    return _in_suite(suite, rewriter) if case_id is None else _of_case(suite, rewriter, case_id)


def _entry(name: str, count: str = "") -> Iterator[str]:
    yield f"{name}{count}"
    yield f"    {VARIATIONS[name].changes}"
    yield f"    {VARIATIONS[name].holds}"


def _in_suite(suite: Suite, rewriter: Rewriter) -> Iterator[str]:
    applicable = Counter(name for case in suite.cases for name in rewriter.rewrite(case))
    for name in VARIATIONS:
        used = ", used" if name in suite.variations.use else ""
        yield from _entry(name, f"  ({applicable[name]} of {len(suite.cases)} cases{used})")


def _of_case(suite: Suite, rewriter: Rewriter, case_id: str) -> Iterator[str]:
    cases = {case.id: case for case in suite.cases}
    if case_id not in cases:
        raise SuiteError(f"{suite.path}: the suite has no case {short_json(case_id)}; {did_you_mean(case_id, cases)}")
    case = cases[case_id]
    for name, text in {"as it is": case.input, **rewriter.rewrite(case)}.items():
        yield f"{name}:"
        yield from (f"    {printable(line)}" for line in text.split("\n"))
