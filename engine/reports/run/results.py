"""The four rates, and the free arm against the constrained one."""

from __future__ import annotations

from collections.abc import Iterator

from engine.records import ARMS
from engine.reports.document import Block, Cell, Items, Line, Quoted, Section, Table, cell, paragraph
from engine.reports.figures import format_difference, format_p, share_cell
from engine.reports.run.findings import ArmFindings, Findings
from engine.reports.run.summary import nothing_finished
from engine.statistics import Paired, mcnemar_exact, newcombe_interval
from engine.text import plural

_ALPHA = 0.05
_INTERVAL = "The 95% interval is in brackets: the range of plausible true values."
_CLUSTERED = (
    "Cases have several replies here (repeats, variations), and replies to one case resemble one another. So that "
    "nothing looks more certain than it is, intervals are as wide as if each case had been asked once, and tests count "
    "cases."
)
_TESTS = (
    "McNemar's exact test asks whether the cases that differ fall either way equally often: p is how often a split at "
    "least as uneven would occur if neither arm were better. Below 0.05 a difference counts as shown; of many tests "
    "one in twenty shows one by chance alone."
)


def rates(findings: Findings) -> Section:
    """The four rates by prompt and arm."""
    return Section("rates", "The four rates", tuple(_rates(findings)))


def _rates(findings: Findings) -> Iterator[Block]:
    if not findings.records:
        yield nothing_finished()
        return
    yield Items(
        (
            ("Strict: the whole reply is one JSON value, with nothing around it but whitespace.",),
            ("Unwrapped: one JSON value is found once a code fence, prose or thinking around it is removed.",),
            ("Schema: that value satisfies the whole JSON Schema.",),
            ("Right values: that value equals what was expected, wrapped or not.",),
        )
    )
    yield paragraph(f"Each cell is the number of replies of all replies, and the share. {_INTERVAL}")
    head: tuple[Line, ...] = (("prompt",), ("arm",), ("strict",), ("unwrapped",), ("schema",), ("right values",))
    rows = [
        (cell(Quoted(name)), cell(arm), *_arm_cells(prompt.arms[arm]))
        for name, prompt in findings.prompts.items()
        for arm in ARMS
    ]
    yield Table("Replies by prompt and arm", head, tuple(rows))
    if findings.repeated or findings.varied:
        yield paragraph(_CLUSTERED)


def _arm_cells(arm: ArmFindings) -> Iterator[Cell]:
    rates = arm.rates
    if not rates.strict.n:
        yield cell(f"none decoded ({plural(rates.errors, 'error')})")
        yield from [cell("")] * 3
        return
    shares = (rates.strict, rates.unwrapped, rates.schema)
    yield from (share_cell(share, "none decoded", arm.design_effect) for share in shares)
    yield share_cell(rates.right, "nothing was expected", arm.design_effect)


def comparison(findings: Findings) -> Section:
    """The 2x2 of the arms by prompt, with its test."""
    return Section("arms", "Free against constrained", tuple(_comparison(findings)))


def _comparison(findings: Findings) -> Iterator[Block]:
    pairs = {name: prompt.fine for name, prompt in findings.prompts.items()}
    if not any(paired.n for paired in pairs.values()):
        yield paragraph("No job was decoded in both arms, so there is nothing to compare.")
        return
    yield Items(
        (
            ("Both fine: the reply is as asked in both arms.",),
            ("Rescued: as asked only under the constraint.",),
            ("Broken by constraint: as asked only with the prompt alone.",),
            ("Both wrong: in neither.",),
        )
    )
    heads = ("prompt", "jobs", "both fine", "rescued", "broken by constraint", "both wrong", "constrained − free")
    rows = [_paired_row(name, paired) for name, paired in pairs.items()]
    yield Table("Jobs by what the constraint changed", tuple((head,) for head in heads), tuple(rows))
    yield paragraph(f"The last column is the difference in percentage points. {_INTERVAL}")
    yield Items(tuple((Quoted(name), ": ", describe_test(paired)) for name, paired in pairs.items()))
    yield paragraph(_TESTS)


def _paired_row(name: str, paired: Paired) -> tuple[Cell, ...]:
    if not paired.n:
        return cell(Quoted(name)), cell("none decoded in both arms"), *[cell("")] * 5
    counts = (paired.n, paired.both, paired.only_second, paired.only_first, paired.neither)
    return cell(Quoted(name)), *(cell(f"{count:,}") for count in counts), cell(format_paired_difference(paired))


def format_paired_difference(paired: Paired) -> str:
    """Second minus first, with its interval; words if there are no pairs."""
    return format_difference(paired.difference, newcombe_interval(paired)) if paired.n else "no pairs"


def describe_test(paired: Paired) -> str:
    """The result of McNemar's test of free (first) against constrained (second)."""
    if not paired.n:
        return "nothing to compare."
    p, (free, constrained) = mcnemar_exact(paired), paired.discordant_cases
    if p is None:
        return "no difference shown: no case was better in one arm than in the other."
    conclusion = (
        "no difference shown" if p >= _ALPHA else f"the constraint {'helped' if constrained > free else 'harmed'}"
    )
    better = f"{plural(constrained, 'case')} better constrained, {free:,} better with the prompt alone"
    return f"{conclusion} ({format_p(p)}; {better})."
