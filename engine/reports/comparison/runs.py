"""What was compared, and everything unusual about it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.comparing.comparison import ComparedRun, Comparison, adapter_name, describe_unpaired
from engine.reports.document import Block, Facts, Items, Line, Quoted, Section, comma_separated
from engine.text import plural

_UNDECODED = {
    "run": "not decoded in the run, though in the baseline",
    "baseline": "not decoded in the baseline, though in the run",
    "both": "not decoded in either",
}


def what_was_compared(comparison: Comparison) -> Section:
    """The runs, and what differs between them."""
    return Section("runs", "What was compared", tuple(_blocks(comparison)))


def _blocks(comparison: Comparison) -> Iterator[Block]:
    yield Facts((_facts("baseline", comparison.baseline), *(_facts("run", compared) for compared in comparison.runs)))
    yield Items(tuple(_about_all(comparison)))
    for compared in comparison.runs:
        name: Line = (Quoted(compared.label), ": ") if len(comparison.runs) > 1 else ()
        yield Items(tuple((*name, *line) for line in _about(compared)))


def _facts(role: str, compared: ComparedRun) -> tuple[Line, Line]:
    manifest, adapter, name = compared.run.manifest, adapter_name(compared.run), compared.run.folder.resolve().name
    line: Line = (Quoted(name), ", ", Quoted(manifest.model or "unknown model"))
    if adapter is not None:
        line += (" with the adapter ", Quoted(adapter))
    if manifest.started:
        line += (", started ", Quoted(manifest.started))
    return (role,) if compared.label == name else (role, " ", Quoted(compared.label)), line


def _about_all(comparison: Comparison) -> Iterator[Line]:
    yield (f"The baseline has {plural(comparison.baseline.pairs, 'job')} to compare with.",)
    if comparison.cases is not None:
        yield (f"Only jobs of the {plural(len(comparison.cases), 'case')} that were named are compared.",)
        if comparison.unknown:
            yield (f"Of these the baseline does not have {comparison.unknown:,}.",)
    yield from ((remark,) for remark in comparison.baseline.remarks)


def _about(compared: ComparedRun) -> Iterator[Line]:
    differences = compared.differences
    if differences.asked:
        yield (
            "The runs were not asked the same, so their figures are not comparable: ",
            *comma_separated(differences.asked),
            ".",
        )
    if differences.answered:
        yield "What answered differs in: ", *comma_separated(differences.answered), "."
    if not differences.asked and not differences.answered:
        yield ("The manifests do not differ.",)
    yield (f"{plural(compared.pairs, 'job')} compared, paired by id.",)
    unpaired = describe_unpaired(compared.only_in_baseline, compared.only_in_run)
    if unpaired:
        yield (unpaired,)
    if compared.reworded:
        yield (f"In {plural(compared.reworded, 'pair')} the inputs differ.",)
    for arm, results in compared.arms.items():
        for where, count in results.undecoded.items():
            yield (f"{arm}: {plural(count, 'reply', 'replies')} {_UNDECODED[where]}, in no figure here.",)
    yield from ((remark,) for remark in compared.remarks)
