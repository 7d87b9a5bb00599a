"""Compares one or more runs with a baseline, from their folders to the results.

The verdicts of the baseline are kept in memory; each run is streamed once, one after the other.
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
    """An arm whose replies are less often as asked."""

    arm: Arm
    prompt: str | None
    """None over all prompts."""
    result: Result


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run compared with the baseline."""

    run: RunFolder
    label: str
    """Its name in tables."""
    differences: Differences
    pairs: int
    """How many jobs are in both runs."""
    only_in_baseline: int
    only_in_run: int
    reworded: int
    """How many pairs have different inputs."""
    arms: Mapping[Arm, ArmResults]
    remarks: tuple[str, ...]
    """What could not be read of it, a sentence each."""

    @property
    def regressions(self) -> list[Regression]:
        """Where the difference in replies as asked is shown to be below zero.

        If nothing has changed, the exact test lets each of them appear with a chance of one in forty at most.
        """
        regressions = []
        for arm, results in self.arms.items():
            prompts: dict[str | None, Result] = {name: each["ok"] for name, each in results.prompts.items()}
            if len(prompts) > 1:  # with one prompt, the overall result is the same
                prompts = {None: results.overall["ok"], **prompts}
            regressions += [Regression(arm, name, each) for name, each in prompts.items() if each.conclusion == "worse"]
        return regressions


@dataclass(frozen=True, slots=True)
class Comparison:
    """One or more runs compared with a baseline."""

    baseline: ComparedRun
    """The baseline compared with itself, for its rates."""
    runs: tuple[ComparedRun, ...]
    cases: frozenset[str] | None
    """The only cases that are compared; None for all."""
    unknown: int
    """How many of `cases` the baseline does not have."""


def compare(
    baseline: RunFolder, runs: Sequence[RunFolder], cases: frozenset[str] | None = None, *, anyway: bool = False
) -> Comparison:
    """Pair the jobs of each run with the baseline's. cases: only their jobs, None for all.

    Raises BadInputError if records cannot be read, if a run has no job in common with the baseline, and, unless
    `anyway`, if a run was not asked the same as the baseline.
    """
    differing = [_differences(baseline, run) for run in runs]
    if not anyway:
        for run, each in zip(runs, differing, strict=True):
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
            for run, label, each in zip(runs, labels[1:], differing, strict=True)
        ]
    except OSError as error:
        name = printable(str(error.filename))
        raise BadInputError(f"{name}: cannot be read ({error.strerror}); fix that, or name another run.") from error
    return Comparison(itself, tuple(compared), cases, len(pairing.unknown))


def _compared(
    pairing: Pairing, baseline: RunFolder, run: RunFolder, label: str, differing: Differences, role: str
) -> ComparedRun:
    paired = PairedRun(pairing, run.folder)
    prompts = [prompt.name for prompt in baseline.manifest.prompts]
    pairs, arms = count(paired.batches(), prompts)
    if not pairs:
        raise BadInputError(printable(f"{run.folder}: {nothing_in_common(baseline, run)}"))
    return ComparedRun(
        run,
        label,
        differing,
        pairs,
        paired.only_in_baseline,
        paired.only_in_run,
        paired.reworded,
        arms,
        tuple(remarks_on(role, run, paired.reader)),
    )


def _differences(baseline: RunFolder, run: RunFolder) -> Differences:
    """An unreadable manifest is a difference: what was asked is not known to be the same."""
    errors = dict.fromkeys(each.manifest_error for each in (baseline, run) if each.manifest_error is not None)
    if errors:
        return Differences(tuple(f"what was run, which is not known: {error}" for error in errors), ())
    return differences(baseline.manifest, run.manifest)


def _refuse_unlike(baseline: RunFolder, run: RunFolder, differing: Differences) -> None:
    if differing.asked:
        names = [printable(str(each.folder)) for each in (run, baseline)]
        what = printable(", ".join(differing.asked))
        remedy = "name runs of the same suite and settings, or compare them nevertheless with --anyway"
        raise BadInputError(f"{names[0]}: it is not comparable with {names[1]}: they differ in {what}; {remedy}.")


def _refuse_empty(pairing: Pairing, baseline: RunFolder) -> None:
    if not pairing.jobs:
        what = "it has no records" if pairing.cases is None else "it has no record of the cases to compare on"
        raise BadInputError(f"{printable(str(baseline.folder))}: {what}; name another baseline.")


def nothing_in_common(baseline: RunFolder, run: RunFolder) -> str:
    """Why two runs have no pair, for two that have none."""
    suites = [each.manifest.suite or "unknown" for each in (baseline, run)]
    if suites[0] != suites[1]:
        return f"These runs have no job in common: their suites are {suites[0]} and {suites[1]}."
    return "These runs have no job in common: they ran other prompts or cases of the suite, or have no records."


def remarks_on(role: str, run: RunFolder, reader: SummaryReader) -> list[str]:
    """What could not be read of a run, and whether it is still in progress. role: such as "baseline"."""
    remarks = [f"Of the {role}: {loss}" for loss in describe_losses(reader)]
    if is_active(run.folder):
        remarks.append(f"The {role} is still in progress: it is compared as far as it was written.")
    return remarks


def describe_unpaired(only_in_baseline: int, only_in_run: int, role: str = "run") -> str | None:
    """How many jobs are in one run only; None if there are none. role: what the run is called."""
    counts = ((only_in_baseline, "baseline"), (only_in_run, role))
    unpaired = [f"{plural(count, 'job')} only in the {where}" for count, where in counts if count]
    return f"Not compared: {', '.join(unpaired)}." if unpaired else None


def _labels(runs: Sequence[RunFolder]) -> list[str]:
    """The adapters or models if they distinguish the runs, else the names of the folders, else their paths."""
    folders = [run.folder.resolve() for run in runs]
    choices = ([_answerer(run) for run in runs], [folder.name for folder in folders])
    return next((names for names in choices if len(set(names)) == len(runs)), [str(folder) for folder in folders])


def _answerer(run: RunFolder) -> str:
    adapter = adapter_name(run)
    return adapter if adapter is not None else run.manifest.model or "?"


def adapter_name(run: RunFolder) -> str | None:
    """The name of the run's adapter; None without one."""
    return run.manifest.adapter.name if run.manifest.adapter is not None else None
