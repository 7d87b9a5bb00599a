"""One or more runs compared with a baseline, from their folders to what is counted. Nothing is worded for a page here.

Each run is read once as a stream, one after the other. Of the baseline the verdicts are held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.comparing.counting import ArmResults, count
from engine.comparing.pairing import PairedRun, Pairing
from engine.comparing.results import Result
from engine.errors import BadInputError
from engine.records import Arm
from engine.runs.differences import Differences, differences
from engine.runs.following import is_active
from engine.runs.reading import RunFolder
from engine.runs.summaries import SummaryReader, describe_losses
from engine.text import plural, printable


@dataclass(frozen=True, slots=True)
class Regression:
    """An arm whose replies are less often as asked: under one prompt, or over all (None)."""

    arm: Arm
    prompt: str | None
    result: Result


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run beside the baseline.

    label: what it is called in tables. pairs: how many jobs both have. only_in_baseline, only_in_run: the jobs without
    a partner. reworded: pairs whose input is another one. remarks: what could not be read of it, a sentence each.
    """

    run: RunFolder
    label: str
    differences: Differences
    pairs: int
    only_in_baseline: int
    only_in_run: int
    reworded: int
    arms: Mapping[Arm, ArmResults]
    remarks: tuple[str, ...]

    @property
    def regressions(self) -> list[Regression]:
        """Where the difference in replies as asked is shown to be below zero.

        When nothing has changed, the exact test lets each of them be so in one of forty at most.
        """
        found = []
        for arm, results in self.arms.items():
            prompts: dict[str | None, Result] = {name: each["ok"] for name, each in results.prompts.items()}
            if len(prompts) > 1:  # of one prompt, the overall result is the same
                prompts = {None: results.overall["ok"], **prompts}
            found += [Regression(arm, name, each) for name, each in prompts.items() if each.conclusion == "worse"]
        return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of it. itself: the baseline as a run beside itself, for its rates. cases: the only ones looked at, or None.

    unknown: of `cases`, how many the baseline does not have.
    """

    itself: ComparedRun
    runs: tuple[ComparedRun, ...]
    cases: frozenset[str] | None
    unknown: int


def compare(
    baseline: RunFolder, runs: Sequence[RunFolder], cases: frozenset[str] | None = None, *, anyway: bool = False
) -> Comparison:
    """Pair the jobs of each run with the baseline's. cases: only jobs of these, None for all.

    Raises BadInputError where records cannot be read, where a run has no job in common with the baseline, and, but for
    `anyway`, where a run was asked something else than the baseline.
    """
    found = [_differences(baseline, run) for run in runs]
    if not anyway:
        for run, each in zip(runs, found, strict=True):
            _refuse_unlike(baseline, run, each)
    labels = _labels([baseline, *runs])
    try:
        pairing = Pairing(baseline.folder, cases)
        for _ in pairing.read():
            pass
        _refuse_empty(pairing, baseline)
        itself = _compared(pairing, baseline, baseline, labels[0], Differences((), ()), "baseline")
        compared = [
            _compared(pairing, baseline, run, label, each, "run")
            for run, label, each in zip(runs, labels[1:], found, strict=True)
        ]
    except OSError as error:
        name = printable(str(error.filename))
        raise BadInputError(f"{name}: cannot be read ({error.strerror}); mend that, or name another run.") from error
    return Comparison(itself, tuple(compared), cases, len(pairing.unknown))


def _compared(
    pairing: Pairing, baseline: RunFolder, run: RunFolder, label: str, found: Differences, role: str
) -> ComparedRun:
    paired = PairedRun(pairing, run.folder)
    prompts = [prompt.name for prompt in baseline.manifest.prompts]
    pairs, arms = count(paired.batches(), prompts)
    if not pairs:
        raise BadInputError(printable(f"{run.folder}: {nothing_in_common(baseline, run)}"))
    return ComparedRun(
        run,
        label,
        found,
        pairs,
        paired.only_in_baseline,
        paired.alone,
        paired.reworded,
        arms,
        tuple(remarks_on(role, run, paired.reader)),
    )


def _differences(baseline: RunFolder, run: RunFolder) -> Differences:
    """Where a manifest says nothing, what was asked is not known to be the same."""
    errors = dict.fromkeys(each.manifest_error for each in (baseline, run) if each.manifest_error is not None)
    if errors:
        return Differences(tuple(f"what was run, which is not known: {error}" for error in errors), ())
    return differences(baseline.manifest, run.manifest)


def _refuse_unlike(baseline: RunFolder, run: RunFolder, found: Differences) -> None:
    if found.asked:
        names = [printable(str(each.folder)) for each in (run, baseline)]
        what = printable(", ".join(found.asked))
        remedy = "name runs of the same suite and settings, or compare them all the same with --anyway"
        raise BadInputError(f"{names[0]}: it does not compare with {names[1]}: they differ in {what}; {remedy}.")


def _refuse_empty(pairing: Pairing, baseline: RunFolder) -> None:
    if not pairing.jobs:
        what = "it has no records" if pairing.cases is None else "it has no record of the cases to compare on"
        raise BadInputError(f"{printable(str(baseline.folder))}: {what}; name another baseline.")


def nothing_in_common(baseline: RunFolder, run: RunFolder) -> str:
    """Why two runs have no pair, when they have none."""
    suites = [each.manifest.suite or "unknown" for each in (baseline, run)]
    if suites[0] != suites[1]:
        return f"These runs have no job in common: their suites are {suites[0]} and {suites[1]}."
    return "These runs have no job in common: they ran other prompts or cases of the suite, or have no records."


def remarks_on(role: str, run: RunFolder, reader: SummaryReader) -> list[str]:
    """What is to be said of a run that has been read: lines that were lost, and whether it is still on.

    role: what it is in the comparison, such as baseline.
    """
    remarks = [f"Of the {role}: {words}" for words in describe_losses(reader)]
    if is_active(run.folder):
        remarks.append(f"The {role} is still on: it is compared as far as it had come.")
    return remarks


def missing_words(only_in_baseline: int, only_in_run: int, role: str = "run") -> str | None:
    """How many jobs have no partner; None where all have one. role: what the one beside the baseline is called."""
    counts = ((only_in_baseline, "baseline"), (only_in_run, role))
    words = [f"{plural(count, 'job')} only in the {where}" for count, where in counts if count]
    return f"Not compared: {', '.join(words)}." if words else None


def _labels(runs: Sequence[RunFolder]) -> list[str]:
    """The adapter or the model where that tells the runs apart, else the folder's name, else its path."""
    folders = [run.folder.resolve() for run in runs]
    choices = ([_answerer(run) for run in runs], [folder.name for folder in folders])
    return next((names for names in choices if len(set(names)) == len(runs)), [str(folder) for folder in folders])


def _answerer(run: RunFolder) -> str:
    adapter = adapter_name(run)
    return adapter if adapter is not None else run.manifest.model or "?"


def adapter_name(run: RunFolder) -> str | None:
    """The name of the run's adapter; None where it has none."""
    return run.manifest.adapter.name if run.manifest.adapter is not None else None
