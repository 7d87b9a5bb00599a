"""How replies fail: the first class of each verdict, by prompt and by variation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeAlias, get_args

from engine.judging.verdict import FailureClass
from engine.records import ARMS, Arm
from engine.reports.document import Block, Cell, Facts, Items, Line, Quoted, Section, Table, cell, paragraph
from engine.reports.figures import count_and_percent, heat_cell
from engine.reports.run.findings import Findings
from engine.reports.run.summary import nothing_finished
from engine.variations import VARIATIONS

_Rows: TypeAlias = Mapping[str | Quoted, Counter[FailureClass]]
_TITLES: dict[Arm, str] = {"free": "with the prompt alone", "constrained": "under the constraint"}
MEANINGS: dict[FailureClass, str] = {
    "ok": "As asked.",
    "empty": "The reply is empty.",
    "refusal": "The model declines to answer.",
    "think_tags": "There is thinking around the value.",
    "prose_before": "There is text before the value.",
    "prose_after": "There is text after the value.",
    "code_fence": "The value is in a Markdown code fence.",
    "multiple_values": "There is more than one value, so it is not clear which one is meant.",
    "truncated": "The reply reached the token limit before it was complete.",
    "single_quotes": "Strings are in single quotes.",
    "trailing_comma": "There is a comma before a closing bracket.",
    "missing_comma": "A comma is missing between two parts.",
    "unquoted_key": "A key is not in quotes.",
    "comment": "There is a comment, which JSON does not have.",
    "python_literal": "There is True, False or None where JSON has true, false or null.",
    "nan_infinity": "There is NaN or Infinity, which JSON does not have.",
    "bad_escape": "A backslash begins an escape that JSON does not know.",
    "control_char": "There is a raw control character in a string.",
    "duplicate_key": "An object has the same key twice.",
    "other_syntax": "Not JSON, for another reason; often there is no JSON at all.",
    "not_object": "The value is not an object, which the schema requires.",
    "missing_key": "A key that the schema requires is missing.",
    "extra_key": "There is a key that the schema does not allow.",
    "wrong_type": "A value has a different type than the schema requires.",
    "constraint": "A value breaks a limit of the schema: an enumeration, a range, a pattern, a length.",
    "wrong_value": "The value is valid, but not what was expected.",
}
_ORDER: tuple[FailureClass, ...] = get_args(FailureClass)


def failures(findings: Findings) -> Section:
    """The heat maps, and the meaning of the classes."""
    return Section("failures", "How replies fail", tuple(_failures(findings)))


def _failures(findings: Findings) -> Iterator[Block]:
    if not findings.records:
        yield nothing_finished()
        return
    yield paragraph(
        "A reply can fail in several ways at once. Here it counts once, under the first class of its verdict. Each "
        "cell is the number of replies and their share of the row; the stronger the background, the larger the share."
    )
    seen: Counter[FailureClass] = Counter()
    for arm in ARMS:
        rows: _Rows = {Quoted(name): prompt.arms[arm].classes for name, prompt in findings.prompts.items()}
        yield from _heat(f"First classes by prompt, {_TITLES[arm]}", "prompt", rows)
        for counts in rows.values():
            seen.update(counts)
    yield from _by_variation(findings)
    yield from _repairable(findings)
    yield paragraph("The classes that occur:")
    meanings: list[tuple[Line, Line]] = [((Quoted(each),), (MEANINGS[each],)) for each in _ORDER if seen[each]]
    yield Facts(tuple(meanings))


def _by_variation(findings: Findings) -> Iterator[Block]:
    if not findings.varied:
        yield paragraph("The run has no variations of its inputs.")
        return
    library = list(VARIATIONS)
    names = sorted(findings.variations, key=lambda name: (library.index(name) if name in library else -1, name or ""))
    for arm in ARMS:
        rows: _Rows = {
            Quoted(name) if name is not None else "as written": findings.variations[name][arm] for name in names
        }
        yield from _heat(f"First classes by variation, {_TITLES[arm]}, all prompts", "variation", rows)
    changes: list[tuple[Line, Line]] = [
        ((Quoted(name),), (VARIATIONS[name].changes,)) for name in names if name in VARIATIONS
    ]
    if changes:
        yield paragraph("What the variations do to an input:")
        yield Facts(tuple(changes))


def _repairable(findings: Findings) -> Iterator[Block]:
    known = {name: prompt.arms["free"].repairable for name, prompt in findings.prompts.items()}
    if not any(share.n for share in known.values()):
        return
    yield paragraph(
        "Could a repair have helped? Of the free replies that are not strict JSON, json_repair turns this many into a "
        "value that satisfies the schema. They count as failures nevertheless, here and everywhere."
    )
    yield Items(
        tuple((Quoted(name), f": {count_and_percent(share, 'no such reply')}") for name, share in known.items())
    )


def _heat(caption: str, first: str, rows: _Rows) -> Iterator[Block]:
    classes = [each for each in _ORDER if any(counts[each] for counts in rows.values())]
    if not classes:
        yield paragraph(f"{caption}: no reply could be decoded.")
        return
    head: list[Line] = [(first,), ("replies",), *((Quoted(each),) for each in classes)]
    yield Table(caption, tuple(head), tuple(_row(name, counts, classes) for name, counts in rows.items()), upright=True)


def _row(name: str | Quoted, counts: Counter[FailureClass], classes: list[FailureClass]) -> tuple[Cell, ...]:
    total = counts.total()
    return cell(name), cell(f"{total:,}"), *(heat_cell(counts[each], total, good=each == "ok") for each in classes)
