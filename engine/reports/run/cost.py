"""What the constraint costs: right values, the probability that the mask takes away, tokens and time."""

from __future__ import annotations

from collections.abc import Iterator

from engine.records import ARMS
from engine.reports.document import Block, Cell, Items, Quoted, Section, Table, cell, paragraph
from engine.reports.figures import counted, fine_percent, quartile_words, share_cell, with_percent
from engine.reports.run.findings import ArmFindings, Findings, PromptFindings
from engine.reports.run.results import difference, in_words
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
    if not any(found.fine.n for found in prompts.values()):
        yield paragraph("No job was decoded in both arms, so what the constraint costs is not known.")
    else:
        yield from _values(prompts)
        yield from _mass(prompts)
    yield from _valid_but_wrong(prompts)
    yield from _effort(prompts)


def _values(prompts: dict[str, PromptFindings]) -> Iterator[Block]:
    yield paragraph(
        "Right values, wrapped or not, in jobs that were decoded in both arms and of which something was expected. "
        "A reply without one JSON value has no right values. A constraint can make a reply valid and its content "
        "worse: that shows here."
    )
    rows = []
    for name, found in prompts.items():
        right = found.right
        free, constrained = (
            Share(right.both + right.only_first, right.n),
            Share(right.both + right.only_second, right.n),
        )
        as_one = design_effect(pairs for _, pairs in right.clusters.values())
        shares = [share_cell(share, "nothing was expected", as_one) for share in (free, constrained)]
        rows.append((cell(Quoted(name)), *shares, cell(difference(right))))
    heads = ("prompt", "free", "constrained", "constrained − free")
    yield Table("Right values in both arms", tuple((head,) for head in heads), tuple(rows))
    yield Items(tuple((Quoted(name), ": ", in_words(found.right)) for name, found in prompts.items()))


def _mass(prompts: dict[str, PromptFindings]) -> Iterator[Block]:
    yield paragraph(
        "At the fork the mask takes away the probability of every token that the grammar does not allow there, as the "
        "model without mask and at temperature 1 has it. Near 0% the model was about to say something allowed; near "
        "100% it was forced onto a path that it did not believe in. Jobs whose arms never part cost nothing."
    )
    heads = ("prompt", "jobs whose arms part", "at the first token", "first quartile", "median", "third quartile")
    rows = tuple(_mass_row(name, found) for name, found in prompts.items())
    yield Table("Probability that the mask removed at the fork", tuple((head,) for head in heads), rows)


def _mass_row(name: str, found: PromptFindings) -> tuple[Cell, ...]:
    removed = quartiles(found.removed)
    parted = with_percent(found.parted, "none decoded in both arms")
    if removed is None or len(found.removed) < found.parted.k:  # those that a server tells are the probable ones
        at_once = counted(found.at_once) if found.at_once.n else "no fork"
        told = f"told of {len(found.removed):,} only" if found.at_once.n else ""
        return cell(Quoted(name)), cell(parted), cell(at_once), cell(told), *[cell("")] * 2
    spread = (removed.low, removed.median, removed.high)
    return (
        cell(Quoted(name)),
        cell(parted),
        cell(counted(found.at_once)),
        *(cell(fine_percent(each)) for each in spread),
    )


def _valid_but_wrong(prompts: dict[str, PromptFindings]) -> Iterator[Block]:
    yield paragraph(
        "Valid but wrong: of the replies that are strict JSON and satisfy the schema, those with another value than "
        "expected. No parser notices these."
    )
    rows = [(cell(Quoted(name)), *map(_valid_wrong, found.arms.values())) for name, found in prompts.items()]
    yield Table("Valid replies with a wrong value", (("prompt",), *((arm,) for arm in ARMS)), tuple(rows))


def _valid_wrong(arm: ArmFindings) -> Cell:
    return share_cell(arm.valid_wrong, "no valid reply to compare", arm.design_effect)


def _effort(prompts: dict[str, PromptFindings]) -> Iterator[Block]:
    yield paragraph(
        "Tokens and seconds of a reply: the median, in brackets the quartiles. Seconds are from the job's start in the "
        "batch to the arm's last token. Jobs share the batch, so they are a waiting time and do not add up to the run."
    )
    rows = [
        (cell(Quoted(name)), cell(arm), *_effort_cells(found.arms[arm]))
        for name, found in prompts.items()
        for arm in ARMS
    ]
    heads = ("prompt", "arm", "tokens", "seconds", "ended by the token limit")
    yield Table("Tokens and seconds by prompt and arm", tuple((head,) for head in heads), tuple(rows))


def _effort_cells(arm: ArmFindings) -> Iterator[Cell]:
    yield cell(quartile_words(quartiles(arm.tokens), "not told" if arm.seconds else "none decoded"))
    yield cell(quartile_words(quartiles(arm.seconds), "none decoded", " s"))
    yield cell(with_percent(arm.limit, "none decoded"))
