"""Two runs, job by job: the baseline's reply on the left, the candidate's on the right. No word of Textual."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from engine.comparing import comparison as of_runs
from engine.comparing.pairing import Pair, PairedRun, Pairing
from engine.protocol.events import Loading, RunStarted
from engine.records import Arm, Record
from engine.runs.differences import differences
from engine.runs.job_facts import JobFacts
from engine.runs.reading import RunFolder
from engine.runs.summaries import without_collector
from engine.statistics import Paired
from tui.state.adapters import BASE
from tui.state.run import RunState
from tui.state.task import Phase

LABELS = ("baseline", "candidate")
_TOLD_APART = 7  # cells, what the shortest of labels has


@dataclass(frozen=True, slots=True)
class PairBatch:
    """What has been read of two runs. read: so many records of the baseline. remarks: at the end, else None."""

    pairs: list[Pair]
    read: int = 0
    remarks: tuple[str, ...] | None = None
    failure: str | None = None


@dataclass(slots=True)
class ArmComparison:
    """The comparison of one arm's replies.

    change: which of a pair are ok, of the pairs that were decoded in both runs; undecoded: the other pairs.
    """

    state: RunState
    change: Paired = field(default_factory=Paired)
    undecoded: int = 0

    def add(self, pairs: list[Pair], arm: Arm) -> None:
        """Count more pairs, and list them."""
        with without_collector():
            found = [
                (info, JobFacts(baseline.of(arm), candidate.of(arm), place=number))
                for number, (info, baseline, candidate) in enumerate(pairs, len(self.state.jobs))
            ]
            self.state.add_finished(found)
        for info, facts in found:
            if facts.free is None or facts.constrained is None:
                self.undecoded += 1
            else:
                self.change.add(facts.free.ok, facts.constrained.ok, info.case)


class Comparison:
    """Two run folders and, by arm, what they add up to: `read` in a thread, and `apply` what comes of it.

    Jobs are paired by their ids, in the order of the candidate. Raises BadInputError where records cannot be read.
    """

    def __init__(self, baseline: Path, candidate: Path) -> None:
        self._runs = (RunFolder(baseline), RunFolder(candidate))
        self._pairs: list[Pair] = []
        self._notes: list[PairBatch] = []  # what is not pairs, in the order in which it came
        self._by_arm: dict[Arm, ArmComparison] = {}

    @property
    def folders(self) -> tuple[Path, Path]:
        """Of the baseline and of the candidate."""
        baseline, candidate = self._runs
        return baseline.folder, candidate.folder

    def of(self, arm: Arm) -> ArmComparison:
        """The comparison of one arm's replies, made when it is first asked for."""
        if arm not in self._by_arm:
            comparison = self._by_arm[arm] = ArmComparison(self._state(arm))
            comparison.add(self._pairs, arm)
            for batch in self._notes:
                self._update(comparison, batch)
        return self._by_arm[arm]

    def read(self) -> Iterator[PairBatch]:
        """The pairs as they are found; at last what is to be said of them all."""
        try:
            yield from self._read()
        except OSError as error:
            yield PairBatch([], failure=f"The records cannot be read ({error.strerror}).")

    def _read(self) -> Iterator[PairBatch]:
        pairing = Pairing(self._runs[0].folder)
        for read in pairing.read():
            yield PairBatch([], read=read)
        paired = PairedRun(pairing, self._runs[1].folder)
        for pairs in paired.batches():
            yield PairBatch(pairs)
        remarks = [
            words
            for role, run, reader in zip(LABELS, self._runs, (pairing.reader, paired.reader), strict=True)
            for words in of_runs.remarks_on(role, run, reader)
        ]
        missing = of_runs.missing_words(paired.only_in_baseline, paired.alone, LABELS[1])
        yield PairBatch([], remarks=(*remarks, *([missing] if missing else []), *self._differing()))

    def apply(self, batch: PairBatch) -> None:
        """Add what was read to what there is."""
        self._pairs += batch.pairs
        if not batch.pairs:
            self._notes.append(batch)
        for arm, comparison in self._by_arm.items():
            comparison.add(batch.pairs, arm)
            self._update(comparison, batch)

    def _update(self, comparison: ArmComparison, batch: PairBatch) -> None:
        state = comparison.state
        if batch.read:
            state.loading = Loading("reading the baseline", batch.read, self._runs[0].manifest.jobs, "records")
        if batch.failure is not None:
            state.fail(batch.failure)
        elif batch.remarks is not None:
            state.remarks += batch.remarks
            state.phase, state.seconds = Phase.FINISHED, 0.0
        state.revision += 1

    @property
    def nothing_in_common(self) -> str:
        """Why there is no pair, when there is none."""
        return of_runs.nothing_in_common(*self._runs)

    def _state(self, arm: Arm) -> RunState:
        candidate = self._runs[1].manifest
        labels, answers = _names(self._runs)
        suite = Path(candidate.suite_file or self._runs[1].folder.name)
        state = RunState(suite, phase=Phase.LOADING, labels=labels)
        state.started = RunStarted(self._runs[1].folder, f"{candidate.suite or '?'}, {arm}", answers, ())
        state.fetch = partial(self._fetch, arm)
        return state

    def _fetch(self, arm: Arm, number: int) -> Record:
        """The record of a pair: the candidate's, with the baseline's reply for the free one."""
        _, *both = self._pairs[number]
        places = [facts.place for facts in both if facts.place is not None]
        baseline, candidate = (run.record_at(place) for run, place in zip(self._runs, places, strict=True))
        if baseline.id != candidate.id:
            raise ValueError(f"the record of {baseline.id} stands where that of {candidate.id} was")
        return replace(candidate, free=baseline.reply(arm), constrained=candidate.reply(arm), fork=None, agree=None)

    def _differing(self) -> Iterator[str]:
        found = differences(*(run.manifest for run in self._runs))
        if found.asked:
            yield f"These runs do not compare, since what was asked differs: {', '.join(found.asked)}."
        if found.answered:
            yield f"The runs differ in: {', '.join(found.answered)}."
        if not found.asked and not found.answered:
            yield "The manifests of the runs do not differ."


def _names(runs: tuple[RunFolder, RunFolder]) -> tuple[tuple[str, str], str]:
    """What the two sides are called, and what answered: by the adapters where only these tell the runs apart."""
    models = [run.manifest.model or "?" for run in runs]
    first, second = (run.manifest.adapter.name if run.manifest.adapter else BASE for run in runs)
    if models[0] != models[1]:
        return LABELS, f"{models[0]} and {models[1]}"
    if first[:_TOLD_APART] != second[:_TOLD_APART]:
        return (first, second), f"{models[0]}: {first} and {second}"
    began = [run.folder.name.split("-")[0] for run in runs]
    return LABELS, f"{began[0]} and {began[1]}"
