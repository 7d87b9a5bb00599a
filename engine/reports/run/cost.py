"""What the constraint costs: right values, the probability that the mask removes, tokens and time."""

from __future__ import annotations

from collections.abc import Iterator

from engine.records import ARMS
from engine.reports.document import Block, Cell, Items, Quoted, Section, Table, cell, paragraph
from engine.reports.figures import count_and_percent, fine_percent, format_count, format_quartiles, share_cell
from engine.reports.run.findings import ArmFindings, Findings, PromptFindings
from engine.reports.run.results import describe_test, format_paired_difference
from engine.reports.run.summary import nothing_finished
from engine.statistics import Share, design_effect, quartiles


def cost(findings: Findings) -> Section:
    """Four tables."""
    return Section("cost", "What the constraint costs", tuple(_cost(findings)))


def _cost(findings: Findings) -> Iterator[Block]:
    if not findings.records:
        yield nothing_finished()
        return
    prompts = findings.prompts
    if not any(prompt.fine.n for prompt in prompts.values()):
        yield paragraph("No job was decoded in both arms, so what the constraint costs is not known.")
    else:
        yield from _values(prompts)
        yield from _mass(prompts)
    yield from _valid_but_wrong(prompts)
    yield from _effort(prompts)


def _values(prompts: dict[str, PromptFindings]) -> Iterator[Block]:
    yield paragraph(
        "Right values, wrapped or not, in jobs that were decoded in both arms and have expected values. "
        "A reply without one JSON value has no right values. A constraint can make a reply valid and its content "
        "worse: that shows here."
    )
    rows = []
    for name, prompt in prompts.items():
        right = prompt.right
        free, constrained = (
            Share(right.both + right.only_first, right.n),
            Share(right.both + right.only_second, right.n),
        )
        effect = design_effect(pairs for _, pairs in right.clusters.values())
        shares = [share_cell(share, "nothing was expected", effect) for share in (free, constrained)]
        rows.append((cell(Quoted(name)), *shares, cell(format_paired_difference(right))))
    heads = ("prompt", "free", "constrained", "constrained − free")
    yield Table("Right values in both arms", tuple((head,) for head in heads), tuple(rows))
    yield Items(tuple((Quoted(name), ": ", describe_test(prompt.right)) for name, prompt in prompts.items()))


def _mass(prompts: dict[str, PromptFindings]) -> Iterator[Block]:
    yield paragraph(
        "At the fork the mask removes the probability of every token that the grammar does not allow there, as the "
        "model has it without the mask and at temperature 1. Near 0% the model was about to choose an allowed token; "
        "near 100% it was forced onto a path that it found improbable. Jobs whose arms never fork cost nothing."
    )
    heads = ("prompt", "jobs whose arms fork", "at the first token", "first quartile", "median", "third quartile")
    rows = tuple(_mass_row(name, prompt) for name, prompt in prompts.items())
    yield Table("Probability that the mask removed at the fork", tuple((head,) for head in heads), rows)


def _mass_row(name: str, prompt: PromptFindings) -> tuple[Cell, ...]:
    removed = quartiles(prompt.removed)
    forked = count_and_percent(prompt.forked, "none decoded in both arms")
    if removed is None or len(prompt.removed) < prompt.forked.k:
        # A server reports the mass only where both arms list a common token, which is where the mask removed little:
        # quartiles of these alone would be biased.
        at_start = format_count(prompt.forked_at_start) if prompt.forked_at_start.n else "no fork"
        reported = f"reported for {len(prompt.removed):,} only" if prompt.forked_at_start.n else ""
        return cell(Quoted(name)), cell(forked), cell(at_start), cell(reported), *[cell("")] * 2
    spread = (removed.low, removed.median, removed.high)
    return (
        cell(Quoted(name)),
        cell(forked),
        cell(format_count(prompt.forked_at_start)),
        *(cell(fine_percent(each)) for each in spread),
    )


def _valid_but_wrong(prompts: dict[str, PromptFindings]) -> Iterator[Block]:
    yield paragraph(
        "Valid but wrong: of the replies that are strict JSON and satisfy the schema, those with a different value "
        "than expected. No parser notices these."
    )
    rows = [(cell(Quoted(name)), *map(_valid_wrong, prompt.arms.values())) for name, prompt in prompts.items()]
    yield Table("Valid replies with a wrong value", (("prompt",), *((arm,) for arm in ARMS)), tuple(rows))


def _valid_wrong(arm: ArmFindings) -> Cell:
    return share_cell(arm.valid_wrong, "no valid reply to compare", arm.design_effect)


def _effort(prompts: dict[str, PromptFindings]) -> Iterator[Block]:
    yield paragraph(
        "Tokens and seconds of a reply: the median, with the quartiles in brackets. Seconds are from the job's start "
        "in the batch to the arm's last token. Jobs share the batch, so they are waiting times and do not add up to "
        "the run's."
    )
    rows = [
        (cell(Quoted(name)), cell(arm), *_effort_cells(prompt.arms[arm]))
        for name, prompt in prompts.items()
        for arm in ARMS
    ]
    heads = ("prompt", "arm", "tokens", "seconds", "ended by the token limit")
    yield Table("Tokens and seconds by prompt and arm", tuple((head,) for head in heads), tuple(rows))


def _effort_cells(arm: ArmFindings) -> Iterator[Cell]:
    yield cell(format_quartiles(quartiles(arm.tokens), "not reported" if arm.seconds else "none decoded"))
    yield cell(format_quartiles(quartiles(arm.seconds), "none decoded", " s"))
    yield cell(count_and_percent(arm.limit, "none decoded"))
